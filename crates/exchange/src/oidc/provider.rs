//! One issuer: discovery, the way there, and the identity that comes back.

use super::config::Config;
use super::error::OidcError;
use super::http::{CallError, call};
use super::logout::{self, LogoutToken};
use crate::client;
use jiff::{SignedDuration, Timestamp};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthenticationContextClass, AuthorizationCode, ClaimsVerificationError, Client,
    ClientId, ClientSecret, CsrfToken, DiscoveryError, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, IdTokenClaims, IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, ProviderMetadataWithLogout, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError,
    StandardErrorResponse, StandardTokenResponse, TokenResponse, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tokio::sync::{Mutex, RwLock};
use url::Url;

/// Signatures of an ID token: with a public key only. A token signed with the client's own secret proves less, and one
/// without a signature nothing.
pub(super) const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
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

/// Least seconds between two readings of the keys that a logout token brings about.
const REREAD_SECONDS: i64 = 60;

/// A sign-in begun, kept in the session of the browser that began it. Used once. `Debug` is empty.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pending {
    state: String,
    nonce: String,
    verifier: String,
    begun: Timestamp,
    acr_values: Vec<String>,
    #[serde(default)]
    max_age: Option<u32>,
}

/// How strongly, and how lately, the person must be verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepUp {
    /// The strengths of verification that will do (`acr_values`); empty if any does.
    pub acr_values: Vec<String>,
    /// Most seconds since the person was verified (`max_age`); 0 asks for it anew.
    pub max_age: Option<u32>,
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
    /// By which means (`amr`), in the issuer's words.
    pub amr: Vec<String>,
    /// When the person was verified (`auth_time`), if the issuer says so.
    pub verified_at: Option<Timestamp>,
    /// The session at the issuer (`sid`), for a logout that the issuer announces.
    pub session: Option<String>,
    /// Claims that OpenID Connect does not name, such as `x509type`; for [`super::Levels`].
    pub claims: BTreeMap<String, serde_json::Value>,
    /// The ID token, to be shown again when the person signs out ([`Provider::logout_url`]).
    pub id_token: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Identity")
    }
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
    metadata: ProviderMetadataWithLogout,
    keys: RwLock<CoreJsonWebKeySet>,
    /// When a logout token of an unknown key last made us read the keys again.
    reread: Mutex<Option<Timestamp>>,
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
        let metadata = ProviderMetadataWithLogout::discover_async(issuer, &caller)
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
            reread: Mutex::default(),
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
        let ask = StepUp {
            acr_values: acr_values.to_vec(),
            max_age: None,
        };
        self.step_up(&ask, now)
    }

    /// Begins a sign-in of a certain strength and age, such as before a signature: as [`Provider::begin`], and
    /// [`Provider::finish`] refuses what does not reach it.
    ///
    /// # Errors
    ///
    /// [`OidcError::Address`] for an unusable `redirect_url`.
    pub fn step_up(&self, ask: &StepUp, now: Timestamp) -> Result<(Url, Pending), OidcError> {
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
        if let Some(seconds) = ask.max_age {
            request = request.set_max_age(std::time::Duration::from_secs(seconds.into()));
        }
        for value in &ask.acr_values {
            request = request.add_auth_context_value(AuthenticationContextClass::new(value.clone()));
        }
        let (url, state, nonce) = request.url();
        let pending = Pending {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            begun: now,
            acr_values: ask.acr_values.clone(),
            max_age: ask.max_age,
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

    /// Where to send the browser so that the person is signed out at the issuer, too (RP-Initiated Logout 1.0). `None` if the
    /// issuer offers no such address; the city's own session is ended in any case.
    #[must_use]
    pub fn logout_url(&self, id_token: &str, back: &Url, state: &str) -> Option<Url> {
        let endpoint = self.0.metadata.additional_metadata().end_session_endpoint.as_ref()?;
        let mut url = endpoint.url().clone();
        url.query_pairs_mut()
            .append_pair("id_token_hint", id_token)
            .append_pair("client_id", &self.0.config.client_id)
            .append_pair("post_logout_redirect_uri", back.as_str())
            .append_pair("state", state);
        Some(url)
    }

    /// Reads a logout token that the issuer posted (Back-Channel Logout 1.0): whose sessions are to be ended. The caller
    /// keeps [`LogoutToken::remember`] and refuses what was there before.
    ///
    /// # Errors
    ///
    /// [`OidcError::Logout`] says which check failed; the issuer is answered 400.
    pub async fn read_logout(&self, token: &str, now: Timestamp) -> Result<LogoutToken, OidcError> {
        let parts = &*self.0;
        let keys = parts.keys.read().await.clone();
        match LogoutToken::read(token, &keys, &parts.config, now) {
            Err(logout::Refusal::UnknownKey) => {}
            other => return other.map_err(logout::Refusal::into_error),
        }
        // Anybody may post a token, so that keys are read again for one of them a minute.
        {
            // ended before the call: a slow issuer must not keep other tokens waiting
            let mut reread = parts.reread.lock().await;
            let is_recent =
                reread.is_some_and(|at| now.duration_since(at).abs() < SignedDuration::from_secs(REREAD_SECONDS));
            if is_recent {
                return Err(logout::Refusal::UnknownKey.into_error());
            }
            *reread = Some(now);
        }
        let caller = |request: HttpRequest| call(parts.http.clone(), request);
        let keys = CoreJsonWebKeySet::fetch_async(parts.metadata.jwks_uri(), &caller)
            .await
            .map_err(discovery)?;
        *parts.keys.write().await = keys.clone();
        LogoutToken::read(token, &keys, &parts.config, now).map_err(logout::Refusal::into_error)
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
        let is_other = match values.get("iss") {
            Some(issuer) => *issuer != self.0.config.issuer,
            None => self.0.config.iss_required,
        };
        if is_other {
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
        let verified_at = claims
            .auth_time()
            .and_then(|time| Timestamp::from_second(time.timestamp()).ok());
        if let Some(max_age) = pending.max_age {
            // an `auth_time` of the future is as bad as none
            let skew = SignedDuration::from_secs(config.skew_seconds);
            let longest = SignedDuration::from_secs(max_age.into()).saturating_add(skew);
            let is_fresh = verified_at.is_some_and(|at| {
                let age = now.duration_since(at);
                age >= -skew && age <= longest
            });
            if !is_fresh {
                return Err(Refusal::Other(OidcError::Stale));
            }
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
            amr: claims
                .auth_method_refs()
                .into_iter()
                .flatten()
                .map(|method| method.to_string())
                .collect(),
            verified_at,
            session: extra.text("sid"),
            claims: extra.0.clone(),
            id_token: token.to_string(),
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
