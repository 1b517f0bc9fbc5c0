//! Why a sign-in or a logout fails.

use crate::client::ClientError;

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
    /// The return names another issuer, or none where it must (RFC 9207).
    #[error("the return comes from another issuer, or does not say from which")]
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
    /// The person was verified longer ago than asked, or the issuer does not say when.
    #[error("the person was verified too long ago; sign in again")]
    Stale,
    /// The logout token is not acceptable.
    #[error("the issuer's logout token is refused: {0}")]
    Logout(&'static str),
}
