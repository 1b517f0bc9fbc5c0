//! What stands around the demonstration's portal: its ports, what the platform offers, and the city registered with all of it.

use super::{DemoError, address};
use crate::config::Config;
use crate::identity::{CertificateConfig, FidoConfig, IcsConfig};
use civic::Language;
use peers::{Ports, Resource, Running};
use services::Catalogue;
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;

/// The usual ports stand beside the portal's usual one; any other portal lets the system choose.
pub(super) fn ports(portal: u16) -> Ports {
    if portal == 8080 {
        Ports {
            issuer: 8081,
            mydata: 8082,
            mailbox: 8083,
            bank: 8084,
            smtp: 8025,
        }
    } else {
        Ports::default()
    }
}

pub(super) fn messages_port(portal: u16) -> u16 {
    if portal == 8080 { 8088 } else { 0 }
}

pub(super) fn resources(catalogue: &Catalogue) -> Vec<Resource> {
    let language = Language::ZhTw;
    let known = catalogue.mappings().map(|mapping| Resource {
        id: mapping.resource_id.clone(),
        title: mapping.title.get(language).to_owned(),
        agency: mapping.agency.get(language).to_owned(),
        file: mapping.file.clone(),
        immediate: mapping.immediate,
    });
    known.collect()
}

/// The data sets of the city, as they are registered with the platform.
pub(super) fn offered_sets(catalogue: &Catalogue, listen: SocketAddr) -> Result<Vec<peers::CityDataSet>, DemoError> {
    let language = Language::ZhTw;
    let sets = catalogue.all_offered().map(|offered| {
        let parameters = offered.parameters.iter();
        Ok(peers::CityDataSet {
            resource_id: offered.resource_id.clone(),
            title: offered.title.get(language).to_owned(),
            address: address(&format!("http://{listen}/mydata/provider/{}", offered.resource_id))?,
            parameters: parameters
                .map(|one| (one.name.clone(), one.title.get(language).to_owned()))
                .collect(),
        })
    });
    sets.collect()
}

/// Registers the city with its outside parties.
pub(super) fn connect(config: &mut Config, running: &Running) {
    let client: exchange::ClientConfig = exchange::ClientConfig {
        https_only: false,
        ..Default::default()
    };
    let portal = config.portal.as_str().trim_end_matches('/').to_owned();
    let url = |path: &str| Url::parse(&format!("{portal}{path}")).ok();
    if let Some(redirect_url) = url("/sign-in/return") {
        config.oidc = Some(exchange::oidc::Config {
            issuer: running.issuer.address.clone(),
            client_id: running.issuer.client_id.clone(),
            client_secret: Some(running.issuer.client_secret.clone()),
            redirect_url,
            scopes: vec!["profile".to_owned(), "uid".to_owned()],
            national_id_claim: "uid".to_owned(),
            name_claim: "cn".to_owned(),
            pending_seconds: 900,
            skew_seconds: 60,
            iss_required: false,
            client: client.clone(),
        });
    }
    if let Some(return_url) = url("/mydata/return") {
        config.mydata = Some(exchange::mydata::Config {
            platform: running.mydata.address.clone(),
            client_id: running.mydata.client_id.clone(),
            client_secret: running.mydata.client_secret.clone(),
            cbc_iv: running.mydata.cbc_iv.clone(),
            return_url,
            api_key: Some(running.mydata.api_key.clone()),
            government_roots: running.mydata.government_root.clone(),
            intermediates: String::new(),
            signers: std::collections::BTreeMap::new(),
            client: client.clone(),
            times: exchange::mydata::Times {
                least_retry_seconds: 1,
                ..Default::default()
            },
            limits: exchange::mydata::PackageLimits::default(),
            confirm_person: true,
            meta_folder: "META-INFO".to_owned(),
            data_prefix: "application/zip;data:".to_owned(),
        });
    }
    let secrets = &running.mydata.resource_secrets;
    config.mydata_provider = Some(exchange::mydata::provider::Config {
        platform: running.mydata.address.clone(),
        resources: secrets
            .iter()
            .map(|(id, secret)| {
                (
                    id.clone(),
                    exchange::mydata::provider::Offered { secret: secret.clone() },
                )
            })
            .collect(),
        certificate: running.mydata.city_certificate.clone(),
        private_key: running.mydata.city_key.clone(),
        client,
        token_prefix: "mydata::".to_owned(),
        meta_folder: "META-INFO".to_owned(),
        longest_seconds: 5400,
    });
    config.mail = Some(exchange::mail::Config {
        host: running.smtp.ip().to_string(),
        port: running.smtp.port(),
        protection: exchange::mail::Protection::None,
        username: None,
        password: None,
        from: config.city.sender.clone(),
        from_name: Some(config.city.name.get(Language::ZhTw).to_owned()),
        timeout_seconds: 10,
        connections: 2,
    });
}

/// Registers the city with wallets: its keys, and the issuer of the demonstration as the only one that is believed.
pub(super) fn by_wallet(twin: &peers::wallet::Running) -> Result<crate::wallet::WalletConfig, DemoError> {
    Ok(crate::wallet::WalletConfig {
        request_key: Some(twin.city_keys.0.clone()),
        card_key: Some(twin.city_keys.1.clone()),
        issuers: vec![exchange::wallet::verifier::TrustedIssuer {
            did: twin.issuer.clone(),
            name: "示範發證機關".to_owned(),
            credential_types: vec!["00000000_disability_card".to_owned()],
            lists: address(&format!("{}/api/status-list/", twin.address))?,
        }],
        status_required: true,
        show_link: twin.link(),
        give_link: twin.link(),
        client: exchange::ClientConfig {
            https_only: false,
            ..crate::wallet::quick()
        },
    })
}

/// Registers the city for sign-in by phone and by card, and says what its issuer proves.
pub(super) fn offer_certificates(config: &mut Config, twins: &peers::identity::Running) -> Result<(), DemoError> {
    let client = exchange::ClientConfig {
        https_only: false,
        ..Default::default()
    };
    // an account with a registered password, as far as anybody can tell
    config.levels = exchange::oidc::Levels(
        exchange::oidc::Level::new(3)
            .map(|level| exchange::oidc::LevelRule {
                claim: "amr".to_owned(),
                value: "hwk".to_owned(),
                level,
            })
            .into_iter()
            .collect(),
    );
    let facts = &twins.fido.facts;
    config.fido = Some(FidoConfig {
        api: address(&facts.address)?,
        web: address(&facts.address)?,
        sp_service_id: facts.sp_service_id.clone(),
        key_file: PathBuf::new(),
        key: Some(facts.key.clone()),
        orders: exchange::fido::Orders::default(),
        codes: std::collections::BTreeMap::new(),
        client: client.clone(),
        seconds: 180,
        level: 2,
    });
    config.certificate = Some(CertificateConfig {
        roots: PathBuf::new(),
        intermediates: None,
        pem: Some((twins.authority.root_pem(), twins.authority.authority_pem())),
        revocation: None,
        revocation_required: false,
        audience: None,
        life_seconds: 300,
        skew_seconds: 60,
        component: Some(address(&twins.card())?),
        level: 1,
        ics: IcsConfig {
            address: address(&format!("{}/ics/query", twins.ics.address))?,
            agency: "DEMO".to_owned(),
            key_file: PathBuf::new(),
            key: Some(twins.agency_key.clone()),
            fields: exchange::certificate::ics::Fields::default(),
            client,
        },
    });
    Ok(())
}
