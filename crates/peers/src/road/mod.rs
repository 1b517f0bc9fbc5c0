//! Another member of the road (T-Road 政府資料傳輸平臺): a government authority, a gateway with a small system of registers behind
//! it, a client that calls the city, and a timestamp authority.
//!
//! The road's interface is not public; this follows X-Road's REST protocol and the transport written down in
//! `docs/reference/t-road.md`, with OpenSSL for everything that is signed or encrypted.

mod client;
mod faults;
mod form;
mod gateway;
mod pki;
mod stamp;
mod system;

use crate::{PeerError, listen};
use faults::FaultSwitch;
use openssl::x509::X509;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_openssl::SslStream;

pub use client::{Message, Reply, Wrong};
pub use faults::{BodyFault, Faults};
pub use gateway::Seen;
pub use pki::{Authority, Issued, Purpose, Wish};
pub use system::{BUSINESS, DISABILITY, EXERCISE, HOUSEHOLD, Registers, sample};

/// The city's member.
pub const CITY: &str = "TW/GOV/379000000A";
/// The city's subsystem that calls.
pub const PORTAL: &str = "portal";
/// The other member.
pub const AGENCY: &str = "TW/GOV/A01000000A";
/// Its subsystem.
pub const REGISTERS: &str = "registers";
/// A third member, whose gateway is nowhere.
pub const OTHER: &str = "TW/GOV/A99000000X";

/// What the peer needs to know.
#[derive(Clone)]
pub struct Config {
    /// Folder for its files; made when missing.
    pub folder: PathBuf,
    /// Its registers.
    pub registers: Registers,
    /// Services the city has no right to there.
    pub denied: Vec<String>,
}

/// The running member. It stops when it is dropped.
pub struct Road {
    /// The government's authority.
    pub authority: Authority,
    /// Where its gateway listens.
    pub gateway: SocketAddr,
    /// Its system behind the gateway, plain HTTP: `http://…/`.
    pub system: String,
    /// The timestamp authority.
    pub stamps: String,
    /// Its TLS certificate.
    pub authentication: Issued,
    /// Its signing certificate.
    pub signing: Issued,
    /// The city's TLS certificate.
    pub city_authentication: Issued,
    /// The city's signing certificate.
    pub city_signing: Issued,
    /// The third member's certificates: TLS, signing.
    pub other: (Issued, Issued),
    member: Arc<gateway::Member>,
    root: X509,
    folder: PathBuf,
    stop: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

/// Starts the member, its system and the timestamp authority on free loopback ports.
///
/// # Errors
/// [`PeerError`]
pub async fn start(config: Config) -> Result<Road, PeerError> {
    let authority = Authority::new(&config.folder.join("authority"))?;
    let gateway_wish = Wish::of(Purpose::Gateway);
    let signing_wish = Wish::of(Purpose::Signing);
    let outdated = Wish {
        from: -20,
        until: -10,
        ..gateway_wish
    };
    let authentication = authority.issue("示範戶政司", gateway_wish)?;
    let signing = authority.issue("示範戶政司", signing_wish)?;
    let city_authentication = authority.issue("示範市政府", gateway_wish)?;
    let city_signing = authority.issue("示範市政府", signing_wish)?;
    let other = (
        authority.issue("示範第三機關", gateway_wish)?,
        authority.issue("示範第三機關", signing_wish)?,
    );
    let root = X509::from_pem(authority.root_pem().as_bytes())?;
    let (gateway_listener, gateway_at) = listen("T-Road member", 0).await?;
    let (system_listener, system_at) = listen("T-Road member's system", 0).await?;
    let (stamp_listener, stamp_at) = listen("timestamp authority", 0).await?;
    let faults = FaultSwitch::default();
    let system = system::router(config.registers);
    let stamps = stamp::router(&authority, &config.folder, faults.clone())?;
    let member = Arc::new(gateway::Member {
        id: AGENCY.to_owned(),
        subsystem: REGISTERS.to_owned(),
        authentication: authentication.clone(),
        outdated: authority.issue("示範戶政司", outdated)?,
        signing: signing.clone(),
        foreign: other.1.clone(),
        root: root.clone(),
        city: (CITY.to_owned(), city_signing.certificate.clone()),
        denied: config.denied,
        system: system.clone(),
        faults,
        seen: std::sync::Mutex::default(),
    });
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(gateway::serve(Arc::clone(&member), gateway_listener, stopped.clone()));
    for (listener, router) in [(system_listener, system), (stamp_listener, stamps)] {
        tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "a demonstration peer stopped");
            }
        });
    }
    Ok(Road {
        authority,
        gateway: gateway_at,
        system: format!("http://{system_at}/"),
        stamps: format!("http://{stamp_at}/"),
        authentication,
        signing,
        city_authentication,
        city_signing,
        other,
        member,
        root,
        folder: config.folder,
        stop,
        _tasks: tasks,
    })
}

impl Road {
    /// Makes the member misbehave from now on.
    pub fn misbehave(&self, faults: Faults) {
        self.member.faults.set(faults);
    }

    /// What came in at its gateway, oldest first.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.member.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The certificate it is out of date with, when it misbehaves so.
    #[must_use]
    pub fn outdated(&self) -> &Issued {
        &self.member.outdated
    }

    /// Opens a connection to a gateway with mutual TLS, as whom `identity` says; with none without a certificate.
    ///
    /// # Errors
    /// What the network or TLS says.
    pub async fn dial(&self, address: SocketAddr, identity: Option<&Issued>) -> std::io::Result<SslStream<TcpStream>> {
        client::dial(address, identity, &self.root).await
    }

    /// A call by this member to a service of the city, `rest` being the path behind the service's code.
    #[must_use]
    pub fn message(&self, method: &str, service: &str, rest: &str, body: &[u8]) -> Message {
        let headers = [
            ("x-road-client", format!("{AGENCY}/{REGISTERS}")),
            ("x-road-id", uuid::Uuid::new_v4().to_string()),
            ("x-road-request-id", uuid::Uuid::new_v4().to_string()),
        ];
        Message {
            method: method.to_owned(),
            path: format!("/r1/{service}{rest}"),
            service: service.to_owned(),
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            body: body.to_vec(),
            trailing: false,
            wrong: Wrong::default(),
        }
    }

    /// Sends a message to the city's gateway as this member.
    ///
    /// # Errors
    /// Where no answer comes.
    pub async fn call(
        &self,
        address: SocketAddr,
        message: &Message,
    ) -> Result<Reply, Box<dyn std::error::Error + Send + Sync>> {
        self.call_as(address, &self.authentication, &self.signing, message)
            .await
    }

    /// Sends a message with the certificates of anybody.
    ///
    /// # Errors
    /// Where no answer comes.
    pub async fn call_as(
        &self,
        address: SocketAddr,
        identity: &Issued,
        signer: &Issued,
        message: &Message,
    ) -> Result<Reply, Box<dyn std::error::Error + Send + Sync>> {
        let expected = &self.city_signing.certificate;
        self.call_expecting(address, identity, signer, expected, message).await
    }

    /// The same, to a gateway that signs with `expected`.
    ///
    /// # Errors
    /// Where no answer comes.
    pub async fn call_expecting(
        &self,
        address: SocketAddr,
        identity: &Issued,
        signer: &Issued,
        expected: &X509,
        message: &Message,
    ) -> Result<Reply, Box<dyn std::error::Error + Send + Sync>> {
        let stream = self.dial(address, Some(identity)).await?;
        client::send(stream, signer, expected, message).await
    }

    /// The city's directory (TOML): this member with its services, and the city's own service `code` at `base` for it.
    #[must_use]
    pub fn directory(&self, code: &str, base: &str) -> String {
        let pem = |issued: &Issued| format!("'''\n{}'''", issued.certificate_pem());
        let member = |id: &str, name: &str, subsystem: &str, at: &str, tls: &Issued, sign: &Issued| {
            format!(
                "[[member]]\nid = \"{id}\"\nname = \"{name}\"\nsubsystems = [\"{subsystem}\"]\nauthentication = [{}]\n\
                 signing = [{}]\n[[member.gateway]]\ncode = \"gateway\"\naddress = \"{at}\"\n",
                pem(tls),
                pem(sign)
            )
        };
        let at = self.gateway.to_string();
        let mut text = member(
            CITY,
            "示範市政府",
            PORTAL,
            "127.0.0.1:1",
            &self.city_authentication,
            &self.city_signing,
        );
        text += &member(
            AGENCY,
            "示範戶政司",
            REGISTERS,
            &at,
            &self.authentication,
            &self.signing,
        );
        text += &member(
            OTHER,
            "示範第三機關",
            "systems",
            "127.0.0.1:1",
            &self.other.0,
            &self.other.1,
        );
        let days = "from = \"2020-01-01\"\nto = \"2099-12-31\"";
        let used = [
            (HOUSEHOLD, "戶籍資料"),
            (BUSINESS, "工商登記資料"),
            (DISABILITY, "身心障礙證明資料"),
            (EXERCISE, "演練用介面"),
        ];
        for (number, (used, name)) in used.iter().enumerate() {
            let service = format!("{AGENCY}/{REGISTERS}/{used}");
            text += &format!(
                "[[interface]]\nid = \"{service}\"\nname = \"{name}\"\n\
                 [[agreement]]\nnumber = \"示範字第11500{number}號\"\nservice = \"{service}\"\nclient = \"{CITY}/{PORTAL}\"\n\
                 purpose = \"社會福利\"\nlegal_ground = \"個人資料保護法第十五條第一款\"\nfields = [\"name\"]\n{days}\n"
            );
        }
        let service = format!("{CITY}/{PORTAL}/{code}");
        text += &format!(
            "[[interface]]\nid = \"{service}\"\nname = \"市府服務\"\nbase = \"{base}\"\n\
             [[interface.endpoint]]\nmethod = \"*\"\npath = \"/**\"\n\
             [[agreement]]\nnumber = \"示範字第1160001號\"\nservice = \"{service}\"\nclient = \"{AGENCY}/{REGISTERS}\"\n\
             purpose = \"戶政業務\"\nlegal_ground = \"戶籍法\"\n{days}\n\
             [[right]]\nservice = \"{service}\"\nclient = \"{AGENCY}/{REGISTERS}\"\n"
        );
        text
    }

    /// Writes a configuration for the city's gateway with its keys and this directory into `folder`; returns the file.
    ///
    /// # Errors
    /// [`PeerError`]
    pub fn configure(&self, folder: &Path, directory: &str, key_sha256: &str) -> Result<PathBuf, PeerError> {
        let failed = |why: std::io::Error| PeerError::Folder {
            path: folder.to_path_buf(),
            why: why.to_string(),
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let settings = format!(
            "member = \"{CITY}\"\ninside = \"127.0.0.1:0\"\noutside = \"127.0.0.1:0\"\ndirectory = \"directory.toml\"\n\
             [keys]\nauthentication_certificate = \"tls.pem\"\nauthentication_key = \"tls.key\"\n\
             signing_certificate = \"sign.pem\"\nsigning_key = \"sign.key\"\nroots = \"root.pem\"\ncrls = [\"revoked.pem\"]\n\
             [[system]]\nname = \"case management\"\nkey_sha256 = \"{key_sha256}\"\nclients = [\"{CITY}/{PORTAL}\"]\n\
             [log]\nfolder = \"log\"\n[timestamp]\nurl = \"{}\"\nroots = \"root.pem\"\ninterval_s = 60\n",
            self.stamps
        );
        let files = [
            ("tls.pem", self.city_authentication.certificate_pem()),
            ("tls.key", self.city_authentication.key_pem()),
            ("sign.pem", self.city_signing.certificate_pem()),
            ("sign.key", self.city_signing.key_pem()),
            ("root.pem", self.authority.root_pem()),
            ("revoked.pem", self.authority.crl(30)?),
            ("directory.toml", directory.to_owned()),
            ("gateway.toml", settings),
        ];
        for (name, text) in files {
            std::fs::write(folder.join(name), text).map_err(failed)?;
        }
        Ok(folder.join("gateway.toml"))
    }

    /// Folder of the peer's files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stops it.
    pub fn shutdown(&self) {
        let _ = self.stop.send(true);
    }
}
