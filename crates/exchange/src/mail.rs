//! Messages by SMTP (RFC 5321, 5322, MIME).

use jiff::Timestamp;
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use serde::Deserialize;
use std::fmt;
use std::time::{Duration, SystemTime};

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// TLS from the first byte (RFC 8314).
    #[default]
    Tls,
    /// STARTTLS, and nothing is sent without it.
    StartTls,
    /// None: only for a server on the loopback address.
    None,
}

/// The mail server and the sender.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Protection of the connection.
    #[serde(default)]
    pub protection: Protection,
    /// User name, if the server asks for one.
    #[serde(default)]
    pub username: Option<String>,
    /// Password, if the server asks for one.
    #[serde(default)]
    pub password: Option<String>,
    /// Address of the sender.
    pub from: String,
    /// Name of the sender, such as the city's.
    #[serde(default)]
    pub from_name: Option<String>,
    /// Seconds to wait for the server.
    #[serde(default = "timeout")]
    pub timeout_seconds: u64,
    /// Most connections kept.
    #[serde(default = "connections")]
    pub connections: u32,
}

fn timeout() -> u64 {
    30
}

fn connections() -> u32 {
    4
}

impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Config")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("protection", &self.protection)
            .finish_non_exhaustive()
    }
}

/// One message. `Debug` is empty: all of it is personal.
#[derive(Clone)]
pub struct Mail<'a> {
    /// Address of the person.
    pub to: &'a str,
    /// Subject, one line in any language.
    pub subject: &'a str,
    /// Plain text.
    pub text: &'a str,
    /// The same as HTML, if there is such a form.
    pub html: Option<&'a str>,
    /// The left side of the Message-ID, derived from the idempotency key: the same message sent again has the same, so
    /// that a mail program shows it once. Letters, digits, `.`, `-` and `_`, at most 64.
    pub id: &'a str,
    /// Its date.
    pub at: Timestamp,
}

impl fmt::Debug for Mail<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Mail")
    }
}

/// Why a message was not sent. No variant holds the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The configuration is not usable.
    #[error("the mail configuration is not usable: {0}")]
    Config(String),
    /// The address is none.
    #[error("the address of the receiver is not a mail address")]
    Receiver,
    /// A subject of more than one line or with control characters, or too long.
    #[error("the subject must be one line of at most 200 characters")]
    Subject,
    /// An identifier of another form.
    #[error("the message id must be letters, digits, `.`, `-` and `_`, at most 64")]
    Id,
    /// The message can't be put together.
    #[error("the message can't be put together: {0}")]
    Message(String),
    /// The server refuses for good (5yz).
    #[error("the mail server refuses the message for good{}", code(*.0))]
    Refused(Option<u16>),
    /// The server can't take it now, or can't be reached; try again.
    #[error("the mail server can't take the message now{}", code(*.0))]
    Later(Option<u16>),
}

fn code(code: Option<u16>) -> String {
    code.map(|code| format!(" (reply {code})")).unwrap_or_default()
}

impl MailError {
    /// Whether sending the same message later may succeed.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        matches!(self, MailError::Later(_))
    }
}

/// Sends messages over a few kept connections. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// Time for a whole message: the library's own limit ends with the connection.
    longest: Duration,
}

impl Mailer {
    /// A mailer of a configuration. It connects when the first message is sent.
    ///
    /// # Errors
    ///
    /// [`MailError::Config`] for a sender that is no address or an unusable server name.
    pub fn new(config: &Config) -> Result<Mailer, MailError> {
        let wrong = |error: &dyn fmt::Display| MailError::Config(error.to_string());
        let address: Address = config.from.parse().map_err(|error| wrong(&error))?;
        if config
            .from_name
            .as_deref()
            .is_some_and(|name| name.contains(char::is_control))
        {
            return Err(MailError::Config("`from_name` must be one line".to_owned()));
        }
        let parameters = || TlsParameters::new(config.host.clone()).map_err(|error| wrong(&error));
        let protection = match config.protection {
            Protection::Tls => Tls::Wrapper(parameters()?),
            Protection::StartTls => Tls::Required(parameters()?),
            Protection::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(config.host.clone())
            .port(config.port)
            .tls(protection)
            .timeout(Some(Duration::from_secs(config.timeout_seconds)))
            .pool_config(PoolConfig::new().max_size(config.connections));
        if let (Some(username), Some(password)) = (&config.username, &config.password) {
            if config.protection == Protection::None {
                return Err(MailError::Config("a password is never sent without TLS".to_owned()));
            }
            builder = builder.credentials(Credentials::new(username.clone(), password.clone()));
        }
        Ok(Mailer {
            transport: builder.build(),
            from: Mailbox::new(config.from_name.clone(), address),
            longest: Duration::from_secs(config.timeout_seconds),
        })
    }

    /// Sends a message. Safe to call again for the same message: its Message-ID stays the same.
    ///
    /// # Errors
    ///
    /// [`MailError`]; [`MailError::may_retry`] says whether to try again.
    pub async fn send(&self, mail: &Mail<'_>) -> Result<(), MailError> {
        let message = self.message(mail)?;
        let Ok(sent) = tokio::time::timeout(self.longest, self.transport.send(message)).await else {
            return Err(MailError::Later(None));
        };
        match sent {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(MailError::Refused(error.status().map(u16::from))),
            Err(error) => Err(MailError::Later(error.status().map(u16::from))),
        }
    }

    /// The message as it is sent.
    fn message(&self, mail: &Mail<'_>) -> Result<Message, MailError> {
        let to: Address = mail.to.parse().map_err(|_| MailError::Receiver)?;
        if mail.subject.contains(char::is_control) || mail.subject.chars().count() > 200 {
            return Err(MailError::Subject);
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if mail.id.is_empty() || mail.id.len() > 64 || !mail.id.bytes().all(plain) {
            return Err(MailError::Id);
        }
        let date = SystemTime::try_from(mail.at).map_err(|error| MailError::Message(error.to_string()))?;
        let builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject)
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .date(date);
        let message = match mail.html {
            Some(html) => builder.multipart(MultiPart::alternative_plain_html(mail.text.to_owned(), html.to_owned())),
            None => builder.singlepart(lettre::message::SinglePart::plain(mail.text.to_owned())),
        };
        message.map_err(|error| MailError::Message(error.to_string()))
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Mailer")
    }
}
