//! The way over the authority's own page (WEB-01), and the address that opens the app (APP-API-01).

use super::FidoError;
use super::calls::{Service, Waiting, base64, certificate};
use super::operation::{Operation, Proof, Signing, check_shown, check_text};
use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;
use civic::NationalId;
use subtle::ConstantTimeEq;
use url::Url;
use uuid::Uuid;

/// Most bytes of a callback.
const LARGEST: usize = 256 << 10;

/// A form that the browser posts to the authority; the person types the national id there. `Debug` is empty.
#[derive(Clone, PartialEq, Eq)]
pub struct WebForm {
    /// Where it is posted to.
    pub action: Url,
    /// Its fields.
    pub fields: Vec<(&'static str, String)>,
    /// The transaction, to be kept; a callback is taken for it once.
    pub transaction_id: Uuid,
    /// What is done.
    pub operation: Operation,
}

impl std::fmt::Debug for WebForm {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("WebForm")
    }
}

impl Service {
    /// The form for the authority's page, over which a person signs a text. The address for the callback is the registered one.
    /// There is no form without a text: the callback's checksum can be made up ([`Service::read_callback`]), a signature can't.
    ///
    /// # Errors
    ///
    /// [`FidoError::Request`] for what would be refused.
    pub fn web_form(
        &self,
        transaction_id: Uuid,
        hint: &str,
        seconds: u16,
        signing: &Signing,
    ) -> Result<WebForm, FidoError> {
        check_shown(hint, seconds)?;
        check_text(signing)?;
        let operation = Operation::Sign;
        let transaction = transaction_id.to_string();
        let order = &self.0.config.orders.web;
        let fields = [
            ("op_code", operation.code()),
            ("hint", hint),
            ("sign_data", signing.text.as_str()),
        ];
        let checksum = self.checksum(&transaction, order, &fields)?;
        let mut action = self.0.config.web.clone();
        action.set_path("/fidoRedirect/web");
        let form = vec![
            ("transaction_id", transaction),
            ("sp_service_id", self.0.config.sp_service_id.clone()),
            ("sp_checksum", checksum),
            ("op_code", operation.code().to_owned()),
            ("hint", hint.to_owned()),
            ("time_limit", seconds.to_string()),
            ("sign_type", signing.sign_type.code().to_owned()),
            ("sign_data", signing.text.clone()),
            ("tbs_encoding", "NONE".to_owned()),
            ("hash_algorithm", signing.hash.code().to_owned()),
        ];
        Ok(WebForm {
            action,
            fields: form,
            transaction_id,
            operation,
        })
    }

    /// Reads the callback (form fields, not decoded) of a transaction that the caller has kept and taken out before, so that
    /// it serves once. The browser brings it, and whoever saw one checksum can make others (the interface repeats a nonce): what
    /// it says proves nothing until [`super::verify`] holds over the city's own text and
    /// [`crate::certificate::ics`] says that the signer's certificate belongs to this person.
    ///
    /// # Errors
    ///
    /// [`FidoError::OtherTransaction`], [`FidoError::Checksum`], [`FidoError::Refused`].
    pub fn read_callback(
        &self,
        body: &[u8],
        transaction_id: Uuid,
        operation: Operation,
    ) -> Result<(NationalId, Proof), FidoError> {
        if body.len() > LARGEST {
            return Err(FidoError::Answer("it is too large"));
        }
        let fields = crate::client::fields(body).ok_or(FidoError::Answer("a field stands twice"))?;
        let get = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        let transaction = transaction_id.to_string();
        if !bool::from(get("transaction_id").as_bytes().ct_eq(transaction.as_bytes())) {
            return Err(FidoError::OtherTransaction);
        }
        let back: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.check(&self.0.config.orders.web_back, &back, get("idp_checksum"))?;
        if let Some(reason) = self.0.config.reason(get("error_code")) {
            return Err(FidoError::Refused(reason));
        }
        let person = NationalId::parse(get("id_num")).map_err(|_| FidoError::Answer("it names no person"))?;
        let signature = base64(get("signed_response")).ok_or(FidoError::Answer("the signature is not Base64"))?;
        let proof = Proof {
            operation,
            hashed_id_num: String::new(),
            signatures: vec![signature],
            certificate: certificate(get("cert"))?,
        };
        Ok((person, proof))
    }

    /// The address that opens the app with a ticket and brings the person back to `return_url`. The app's return proves
    /// nothing; the result is asked for.
    #[must_use]
    pub fn app_link(&self, waiting: &Waiting, return_url: &Url, return_value: &str) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("sp_ticket", &waiting.ticket)
            .append_pair("rtn_url", &STANDARD.encode(return_url.as_str()))
            .append_pair("rtn_val", &STANDARD.encode(return_value))
            .finish();
        format!("mobilemoica://moica.moi.gov.tw/a2a/verifySign?{query}")
    }
}
