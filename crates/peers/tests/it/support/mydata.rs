//! A service provider's side of MyData, as much as a test needs.

use super::http::{Reply, get, post};
use super::{HOUSEHOLD, MEI, World};
use openssl::base64::{decode_block, encode_block};
use openssl::symm::{Cipher, decrypt, encrypt};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

/// A request to the platform; tests change what they want to be wrong.
#[derive(Clone)]
pub struct Asked {
    pub client_id: String,
    pub resources: String,
    pub tx_id: String,
    pub return_url: Option<String>,
    pub pid: Option<String>,
}

impl World {
    /// A request that is right.
    pub fn asked(&self, national_id: &str, resources: &[&str]) -> Asked {
        Asked {
            client_id: self.peers.mydata.client_id.clone(),
            resources: encode_block(resources.join(":").as_bytes()),
            tx_id: Uuid::new_v4().to_string(),
            return_url: Some(self.city.at("mydata/return").to_string()),
            pid: Some(self.seal(national_id)),
        }
    }

    pub fn platform(&self, path: &str) -> Url {
        self.peers.mydata.address.join(path).unwrap()
    }

    pub fn seal(&self, text: &str) -> String {
        let facts = &self.peers.mydata;
        let key = facts.client_secret.repeat(2);
        let iv = Some(facts.cbc_iv.as_bytes());
        encode_block(&encrypt(Cipher::aes_256_cbc(), key.as_bytes(), iv, text.as_bytes()).unwrap())
    }

    pub fn open(&self, sealed: &str) -> String {
        let facts = &self.peers.mydata;
        let key = facts.client_secret.repeat(2);
        let iv = Some(facts.cbc_iv.as_bytes());
        let bytes = decode_block(&sealed.replace(' ', "+")).unwrap();
        String::from_utf8(decrypt(Cipher::aes_256_cbc(), key.as_bytes(), iv, &bytes).unwrap()).unwrap()
    }

    /// The browser arrives.
    pub async fn arrive(&self, asked: &Asked) -> Reply {
        let encoded: String = url::form_urlencoded::byte_serialize(asked.resources.as_bytes()).collect();
        let mut to = self.platform(&format!("service/{}/{encoded}/{}", asked.client_id, asked.tx_id));
        for (name, value) in [("returnUrl", &asked.return_url), ("pid", &asked.pid)] {
            if let Some(value) = value {
                to.query_pairs_mut().append_pair(name, value);
            }
        }
        get(&to, &[]).await
    }

    /// The browser arrives and the person verifies; gives the session of the forms.
    pub async fn verified(&self, asked: &Asked) -> String {
        let session = session(&self.arrive(asked).await);
        let pid = self.open(asked.pid.as_ref().unwrap());
        let page = post(&self.platform("verify"), &[], &[("session", &session), ("pid", &pid)]).await;
        assert_eq!(page.status, 200);
        session
    }

    pub async fn answer(&self, session: &str, answer: &str) -> Reply {
        post(
            &self.platform("consent"),
            &[],
            &[("session", session), ("answer", answer)],
        )
        .await
    }

    /// All of it, to the code of the way back.
    pub async fn agreed(&self, asked: &Asked) -> Reply {
        let session = self.verified(asked).await;
        self.answer(&session, "agree").await
    }

    /// The way of one person with one data set that is there at once; gives the transaction and the notification.
    pub async fn delivered(&self) -> (String, Value) {
        let asked = self.asked(MEI, &[HOUSEHOLD]);
        self.agreed(&asked).await;
        (asked.tx_id, self.city.notices().last().unwrap().clone())
    }

    /// Calls one of the platform's interfaces; parameters are headers.
    pub async fn call(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        get(&self.platform(path), headers).await
    }

    pub async fn fetch(&self, notice: &Value) -> Reply {
        let ticket = notice["permission_ticket"].as_str().unwrap();
        self.call("service/data", &[("permission_ticket", ticket)]).await
    }

    /// What `txid_status` says: its status, and the code if there is one.
    pub async fn status(&self, tx_id: &str) -> (u16, Option<String>) {
        let reply = self.call("service/txid_status", &[("tx_id", tx_id)]).await;
        let code = (reply.status == 200).then(|| reply.json()["code"].as_str().unwrap().to_owned());
        (reply.status, code)
    }
}

/// The session of a page's form.
pub fn session(page: &Reply) -> String {
    assert_eq!(page.status, 200, "{page:?}");
    let text = page.text();
    let (_, rest) = text.split_once("name=\"session\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}
