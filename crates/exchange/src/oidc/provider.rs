//! One issuer: discovery, the way there, and the identity that comes back.

use super::http::{CallError, call};
use crate::client::{self, ClientConfig, ClientError};
use jiff::{SignedDuration, Timestamp};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthenticationContextClass, AuthorizationCode, ClaimsVerificationError, Client,
    ClientId, ClientSecret, CsrfToken, DiscoveryError, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, IdTokenClaims, IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, StandardErrorResponse,
    StandardTokenResponse, TokenResponse, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tokio::sync::RwLock;
use url::Url;

/// Signatures of an ID token: with a public key only. A token signed with the client's own secret proves less, and one
/// without a signature nothing.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// An issuer and how the city is registered there. `Debug` shows no secret.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The issuer's address, exactly as it names itself.
    pub issuer: String,
    /// The city's name at the issuer.
    pub client_id: String,
    /// The city's secret; a public client has none.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// Registered address for the way back.
    pub redirect_url: Url,
    /// Scopes beside `openid`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The claim that holds the national id (`uid` at 我的E政府).
    #[serde(default = "national_id_claim")]
    pub national_id_claim: String,
    /// The claim that holds the name (`cn` at 我的E政府).
    #[serde(default = "name_claim")]
    pub name_claim: String,
    /// Seconds that a sign-in may take.
    #[serde(default = "pending_seconds")]
    pub pending_seconds: i64,
    /// Seconds that the issuer's clock may be behind.
    #[serde(default = "skew_seconds")]
    pub skew_seconds: i64,
    /// How the issuer is called.
    #[serde(default)]
    pub client: ClientConfig,
}

fn national_id_claim() -> String {
    "uid".to_owned()
}

fn name_claim() -> String {
    "name".to_owned()
}

fn pending_seconds() -> i64 {
    900
}

fn skew_seconds() -> i64 {
    60
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Config")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// A sign-in begun, kept in the session of the browser that began it. Used once. `Debug` is empty.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pending {
    state: String,
    nonce: String,
    verifier: String,
    begun: Timestamp,
    acr_values: Vec<String>,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Pending")
    }
}

/// Who signed in, as the issuer says. `Debug` is empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The issuer's name of the person (`sub`); unique with the issuer only.
    pub subject: String,
    /// The name, if the issuer gives it.
    pub name: Option<String>,
    /// The national id, if the issuer gives it; not checked here.
    pub national_id: Option<String>,
    /// How strongly the person was verified (`acr`), in the issuer's words.
    pub acr: Option<String>,
    /// The session at the issuer (`sid`), for a logout that the issuer announces.
    pub session: Option<String>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Identity")
    }
}

/// Why a sign-in fails.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// The HTTP client can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A value of the configuration is no address.
    #[error("`{0}` is not a usable address")]
    Address(&'static str),
    /// The issuer can't be reached or answers with something else than its protocol.
    #[error("the issuer can't be used now: {0}")]
    Issuer(String),
    /// The query of the return can't be read.
    #[error("the return has no readable `code` and `state`")]
    Query,
    /// The return does not belong to this session's sign-in.
    #[error("the return does not belong to the sign-in of this session; begin again")]
    State,
    /// The return came too late.
    #[error("the sign-in took too long; begin again")]
    TooLate,
    /// The issuer says that the person did not sign in (`access_denied` and others).
    #[error("the issuer did not sign the person in: `{0}`")]
    Denied(String),
    /// The return names another issuer (RFC 9207).
    #[error("the return comes from another issuer")]
    OtherIssuer,
    /// The issuer does not take the code.
    #[error("the issuer does not take the code: {0}")]
    Code(String),
    /// The answer has no ID token.
    #[error("the issuer sent no ID token")]
    NoToken,
    /// The ID token is not acceptable.
    #[error("the issuer's ID token is refused: {0}")]
    Token(String),
    /// The person was verified less strongly than asked.
    #[error("the person was not verified as strongly as the service asks")]
    Assurance,
}

/// All claims beyond those the library knows, by name.
#[derive(Debug, Deserialize, Serialize)]
struct Extra(BTreeMap<String, serde_json::Value>);

impl AdditionalClaims for Extra {}

impl Extra {
    fn text(&self, name: &str) -> Option<String> {
        self.0
            .get(name)
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned)
            .filter(|text| !text.is_empty())
    }
}

type Tokens = StandardTokenResponse<
    IdTokenFields<
        Extra,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type Relying = Client<
    Extra,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// One issuer, discovered. Cheap to clone.
#[derive(Clone)]
pub struct Provider(Arc<Parts>);

struct Parts {
    config: Config,
    metadata: CoreProviderMetadata,
    keys: RwLock<CoreJsonWebKeySet>,
    http: reqwest::Client,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Provider").field(&self.0.config).finish()
    }
}

impl Provider {
    /// Reads the issuer's own description (`/.well-known/openid-configuration`) and keys.
    ///
    /// # Errors
    ///
    /// [`OidcError::Issuer`] if it can't be reached or names itself otherwise.
    pub async fn discover(config: Config) -> Result<Provider, OidcError> {
        let http = client::build(&config.client)?;
        let issuer = IssuerUrl::new(config.issuer.clone()).map_err(|_| OidcError::Address("issuer"))?;
        let caller = |request: HttpRequest| call(http.clone(), request);
        let metadata = CoreProviderMetadata::discover_async(issuer, &caller)
            .await
            .map_err(discovery)?;
        if metadata.token_endpoint().is_none() {
            return Err(OidcError::Issuer("it has no token endpoint".to_owned()));
        }
        let keys = RwLock::new(metadata.jwks().clone());
        Ok(Provider(Arc::new(Parts {
            config,
            metadata,
            keys,
            http,
        })))
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Begins a sign-in: where to send the browser, and what to keep in its session. `acr_values` are the strengths of
    /// verification that will do; empty if any does.
    ///
    /// # Errors
    ///
    /// [`OidcError::Address`] for an unusable `redirect_url`.
    pub fn begin(&self, acr_values: &[String], now: Timestamp) -> Result<(Url, Pending), OidcError> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = self.relying(self.0.metadata.jwks().clone())?;
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(self.0.config.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge);
        for value in acr_values {
            request = request.add_auth_context_value(AuthenticationContextClass::new(value.clone()));
        }
        let (url, state, nonce) = request.url();
        let pending = Pending {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            begun: now,
            acr_values: acr_values.to_vec(),
        };
        Ok((url, pending))
    }

    /// Ends a sign-in with the query of the return address, as sent and not decoded, and what the session kept. The
    /// caller has taken `pending` out of the session before, so that it serves once.
    ///
    /// # Errors
    ///
    /// [`OidcError`] says which check failed.
    pub async fn finish(&self, query: &str, pending: Pending, now: Timestamp) -> Result<Identity, OidcError> {
        let parts = &*self.0;
        let code = self.read_query(query, &pending, now)?;
        let client = self.relying(parts.keys.read().await.clone())?;
        let caller = |request: HttpRequest| call(parts.http.clone(), request);
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| OidcError::Issuer(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()))
            .request_async(&caller)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(answer) => OidcError::Code(answer.error().to_string()),
                RequestTokenError::Request(error) => OidcError::Issuer(error.to_string()),
                RequestTokenError::Parse(..) => OidcError::Issuer("its token answer can't be read".to_owned()),
                RequestTokenError::Other(what) => OidcError::Issuer(what),
            })?;
        let identity = match self.verify(&client, &tokens, &pending, now) {
            // The issuer may have changed its keys: they are read once more, and only once.
            Err(Refusal::UnknownKey) => {
                let keys = CoreJsonWebKeySet::fetch_async(parts.metadata.jwks_uri(), &caller)
                    .await
                    .map_err(discovery)?;
                *parts.keys.write().await = keys.clone();
                self.verify(&self.relying(keys)?, &tokens, &pending, now)
            }
            other => other,
        };
        let mut identity = identity.map_err(|refusal| match refusal {
            Refusal::UnknownKey => OidcError::Token("it is signed with a key the issuer does not name".to_owned()),
            Refusal::Other(error) => error,
        })?;
        if identity.national_id.is_none() && parts.metadata.userinfo_endpoint().is_some() {
            let subject = openidconnect::SubjectIdentifier::new(identity.subject.clone());
            let info: UserInfoClaims<Extra, CoreGenderClaim> = client
                .user_info(tokens.access_token().clone(), Some(subject))
                .map_err(|error| OidcError::Issuer(error.to_string()))?
                .request_async(&caller)
                .await
                .map_err(|_| {
                    OidcError::Issuer("its user information can't be read or is of another person".to_owned())
                })?;
            let extra = info.additional_claims();
            identity.national_id = extra.text(&parts.config.national_id_claim);
            identity.name = identity.name.or_else(|| match parts.config.name_claim.as_str() {
                "name" => info.name().and_then(|name| name.get(None)).map(|name| name.to_string()),
                other => extra.text(other),
            });
        }
        Ok(identity)
    }

    /// The library's client with some keys.
    fn relying(&self, keys: CoreJsonWebKeySet) -> Result<Relying, OidcError> {
        let config = &self.0.config;
        let redirect =
            RedirectUrl::new(config.redirect_url.to_string()).map_err(|_| OidcError::Address("redirect_url"))?;
        Ok(Relying::from_provider_metadata(
            self.0.metadata.clone().set_jwks(keys),
            ClientId::new(config.client_id.clone()),
            config.client_secret.clone().map(ClientSecret::new),
        )
        .set_redirect_uri(redirect))
    }

    /// Reads the query and checks that it belongs to the sign-in; gives the code.
    fn read_query(&self, query: &str, pending: &Pending, now: Timestamp) -> Result<String, OidcError> {
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let known = matches!(&*name, "code" | "state" | "error" | "iss");
            if known && values.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(OidcError::Query);
            }
        }
        let state = values.get("state").ok_or(OidcError::Query)?;
        if !bool::from(state.as_bytes().ct_eq(pending.state.as_bytes())) {
            return Err(OidcError::State);
        }
        let age = now.duration_since(pending.begun);
        if age > SignedDuration::from_secs(self.0.config.pending_seconds) {
            return Err(OidcError::TooLate);
        }
        if values.get("iss").is_some_and(|issuer| issuer != &self.0.config.issuer) {
            return Err(OidcError::OtherIssuer);
        }
        if let Some(error) = values.get("error") {
            let plain = |character: &char| character.is_ascii_alphanumeric() || *character == '_';
            return Err(OidcError::Denied(error.chars().filter(plain).take(64).collect()));
        }
        values
            .remove("code")
            .filter(|code| !code.is_empty())
            .ok_or(OidcError::Query)
    }

    /// Verifies the ID token: signature, issuer, audience, times, nonce, hash of the access token, strength.
    fn verify(
        &self,
        client: &Relying,
        tokens: &Tokens,
        pending: &Pending,
        now: Timestamp,
    ) -> Result<Identity, Refusal> {
        let config = &self.0.config;
        let token = tokens.id_token().ok_or(Refusal::Other(OidcError::NoToken))?;
        let refused = |what: String| Refusal::Other(OidcError::Token(what));
        let early = now.as_second().saturating_sub(config.skew_seconds);
        let early = chrono::DateTime::from_timestamp(early, 0)
            .ok_or_else(|| refused("the clock is out of range".to_owned()))?;
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || early);
        let nonce = Nonce::new(pending.nonce.clone());
        let claims: &IdTokenClaims<Extra, CoreGenderClaim> =
            token.claims(&verifier, &nonce).map_err(|error| match error {
                ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
                    Refusal::UnknownKey
                }
                other => refused(reason(&other).to_owned()),
            })?;
        if let Some(expected) = claims.access_token_hash() {
            let found = token
                .signing_alg()
                .and_then(|algorithm| Ok((algorithm, token.signing_key(&verifier)?)))
                .ok()
                .and_then(|(algorithm, key)| AccessTokenHash::from_token(tokens.access_token(), algorithm, key).ok());
            if found.as_ref() != Some(expected) {
                return Err(refused("its access token belongs to another token".to_owned()));
            }
        }
        let acr = claims.auth_context_ref().map(|acr| acr.to_string());
        if !pending.acr_values.is_empty() && !acr.as_ref().is_some_and(|acr| pending.acr_values.contains(acr)) {
            return Err(Refusal::Other(OidcError::Assurance));
        }
        let extra = claims.additional_claims();
        Ok(Identity {
            subject: claims.subject().to_string(),
            name: match config.name_claim.as_str() {
                "name" => claims
                    .name()
                    .and_then(|name| name.get(None))
                    .map(|name| name.to_string()),
                other => extra.text(other),
            },
            national_id: extra.text(&config.national_id_claim),
            acr,
            session: extra.text("sid"),
        })
    }
}

/// Why an ID token is not accepted yet.
enum Refusal {
    /// Signed with a key that is not among those known.
    UnknownKey,
    /// For good.
    Other(OidcError),
}

/// The refusal without the values: they may be personal.
fn reason(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::Expired(_) => "it has expired",
        ClaimsVerificationError::InvalidAudience(_) => "it is made for another client",
        ClaimsVerificationError::InvalidIssuer(_) => "it is made by another issuer",
        ClaimsVerificationError::InvalidNonce(_) => "its nonce is not the one of this sign-in",
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoSignature) => "it is not signed",
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::DisallowedAlg(_)) => {
            "it is signed with an algorithm that is not accepted"
        }
        ClaimsVerificationError::SignatureVerification(_) => "its signature does not match",
        _ => "its claims are not acceptable",
    }
}

/// The failure of reading the issuer's description or keys.
fn discovery(error: DiscoveryError<CallError>) -> OidcError {
    OidcError::Issuer(match error {
        DiscoveryError::Request(error) => error.to_string(),
        other => other.to_string(),
    })
}
