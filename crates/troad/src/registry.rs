//! A directory made ready for calls: certificates checked, agreements and rights found by service.
//!
//! It never changes; a newer directory, a newer revocation list or the passing of time make a new one. What is decided here
//! is decided at every call, so that a certificate or an agreement that ends, ends for connections that are open too.

use crate::directory::{Agreement, Directory, DirectoryError, Interface, Keep, Member, Right};
use crate::fault::{Fault, Kind, Place};
use crate::ids::{MemberId, ServiceId};
use civic::legal_day;
use jiff::Timestamp;
use pki::{CertificateError, Facts, PublicKey, Purpose, Revocation, RevocationList, Trust};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What the certificates of members are checked against.
pub struct Authorities {
    /// The roots and the certificates between.
    pub trust: Trust,
    /// What they have revoked.
    pub lists: Vec<RevocationList>,
    /// Whether a certificate of which no current list speaks is refused.
    pub require_lists: bool,
}

/// A certificate of a member, with what was found when it was checked.
#[derive(Clone)]
pub struct Certified {
    /// The member, without subsystem.
    pub owner: MemberId,
    /// What stands in it.
    pub facts: Facts,
    /// Its DER form.
    pub der: Arc<[u8]>,
    /// Its key, for certificates that sign messages.
    pub key: Option<PublicKey>,
    client: Result<(), CertificateError>,
    server: Result<(), CertificateError>,
    signing: Result<(), CertificateError>,
}

impl Certified {
    /// Fingerprint and DER form: what the message log keeps.
    #[must_use]
    pub fn named(&self) -> (&[u8; 32], &Arc<[u8]>) {
        (&self.facts.fingerprint, &self.der)
    }

    /// Whether it may serve a purpose now.
    ///
    /// # Errors
    /// [`CertificateError`]
    pub fn serves(&self, purpose: Purpose, now: Timestamp) -> Result<(), CertificateError> {
        let found = match purpose {
            Purpose::ClientAuthentication => &self.client,
            Purpose::ServerAuthentication => &self.server,
            Purpose::Signing => &self.signing,
            Purpose::Card | Purpose::TimeStamping | Purpose::OcspSigning => {
                return Err(CertificateError::WrongPurpose);
            }
        };
        found.clone()?;
        if now > self.facts.not_after {
            return Err(CertificateError::Expired(self.facts.not_after));
        }
        if now < self.facts.not_before {
            return Err(CertificateError::NotYetValid(self.facts.not_before));
        }
        Ok(())
    }
}

/// A certificate of the directory and when it ends, for the list of those that must be renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// Whose it is.
    pub member: MemberId,
    /// What it is for.
    pub signs_messages: bool,
    /// What stands in it.
    pub facts: Facts,
    /// Why it can't be used now, where it can't.
    pub problem: Option<CertificateError>,
}

/// A directory made ready.
pub struct Registry {
    directory: Directory,
    members: HashMap<MemberId, usize>,
    interfaces: HashMap<ServiceId, Arc<Interface>>,
    agreements: HashMap<ServiceId, Vec<Arc<Agreement>>>,
    rights: HashMap<ServiceId, Vec<Arc<Right>>>,
    authentication: HashMap<[u8; 32], Arc<Certified>>,
    signing: HashMap<[u8; 32], Arc<Certified>>,
}

impl Registry {
    /// Checks a directory and its certificates at the time `now`. A certificate that fails its check is kept with the
    /// reason and refused when it is shown; a directory that contradicts itself is refused whole.
    ///
    /// # Errors
    /// [`DirectoryError`]
    pub fn new(
        directory: Directory,
        authorities: &Authorities,
        has_seal: bool,
        now: Timestamp,
    ) -> Result<Registry, DirectoryError> {
        let mut made = Registry {
            directory: Directory::default(),
            members: HashMap::new(),
            interfaces: HashMap::new(),
            agreements: HashMap::new(),
            rights: HashMap::new(),
            authentication: HashMap::new(),
            signing: HashMap::new(),
        };
        for (at, member) in directory.members.iter().enumerate() {
            if made.members.insert(member.id.owner(), at).is_some() {
                return Err(DirectoryError::Twice(member.id.to_string()));
            }
            for (texts, signs) in [(&member.authentication, false), (&member.signing, true)] {
                for text in texts {
                    made.certify(member, text, signs, authorities, now)?;
                }
            }
        }
        for interface in &directory.interfaces {
            made.known_member(&interface.id.to_string(), &interface.id.provider)?;
            check_interface(interface, has_seal)?;
            let added = made
                .interfaces
                .insert(interface.id.clone(), Arc::new(interface.clone()));
            if added.is_some() {
                return Err(DirectoryError::Twice(interface.id.to_string()));
            }
        }
        let mut numbers = HashSet::new();
        for agreement in &directory.agreements {
            made.known_member(&agreement.number, &agreement.client)?;
            made.known_interface(&agreement.number, &agreement.service)?;
            if !numbers.insert(&agreement.number) {
                return Err(DirectoryError::Twice(agreement.number.clone()));
            }
            let of_service = made.agreements.entry(agreement.service.clone()).or_default();
            of_service.push(Arc::new(agreement.clone()));
        }
        for right in &directory.rights {
            let what = format!("right to {}", right.service);
            made.known_member(&what, &right.client)?;
            made.known_interface(&what, &right.service)?;
            check_patterns(&right.endpoints)?;
            made.rights
                .entry(right.service.clone())
                .or_default()
                .push(Arc::new(right.clone()));
        }
        made.directory = directory;
        Ok(made)
    }

    fn certify(
        &mut self,
        member: &Member,
        text: &str,
        signs: bool,
        authorities: &Authorities,
        now: Timestamp,
    ) -> Result<(), DirectoryError> {
        let unreadable = || DirectoryError::Certificate(Box::new(member.id.clone()));
        // intermediates may follow in the text; the first is the member's
        let mut found = pki::pem(text).map_err(|_| unreadable())?.into_iter();
        let der = found.next().ok_or_else(unreadable)?;
        let (facts, parsed) = pki::read(&der).map_err(|_| unreadable())?;
        let unused = || Err(CertificateError::WrongPurpose);
        let revocation = Revocation {
            lists: &authorities.lists,
            is_required: authorities.require_lists,
        };
        let check = |purpose| {
            let trusted = authorities
                .trust
                .check(std::slice::from_ref(&der), purpose, revocation, now);
            trusted.map(|_| ())
        };
        let certified = Certified {
            owner: member.id.owner(),
            key: PublicKey::of(&parsed),
            client: if signs {
                unused()
            } else {
                check(Purpose::ClientAuthentication)
            },
            server: if signs {
                unused()
            } else {
                check(Purpose::ServerAuthentication)
            },
            signing: if signs { check(Purpose::Signing) } else { unused() },
            facts,
            der: Arc::from(&*der),
        };
        let of = if signs {
            &mut self.signing
        } else {
            &mut self.authentication
        };
        match of.insert(certified.facts.fingerprint, Arc::new(certified)) {
            None => Ok(()),
            Some(_) => Err(DirectoryError::Twice(format!("certificate of {}", member.id))),
        }
    }

    fn known_member(&self, what: &str, id: &MemberId) -> Result<(), DirectoryError> {
        if self.members.contains_key(&id.owner()) {
            return Ok(());
        }
        Err(DirectoryError::UnknownMember {
            what: what.to_owned(),
            member: Box::new(id.clone()),
        })
    }

    fn known_interface(&self, what: &str, id: &ServiceId) -> Result<(), DirectoryError> {
        if self.interfaces.contains_key(id) {
            return Ok(());
        }
        Err(DirectoryError::UnknownInterface {
            what: what.to_owned(),
            service: Box::new(id.clone()),
        })
    }

    /// The values it was made from.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// A member by its identifier or that of one of its subsystems.
    #[must_use]
    pub fn member(&self, id: &MemberId) -> Option<&Member> {
        self.directory.members.get(*self.members.get(&id.owner())?)
    }

    /// An interface.
    #[must_use]
    pub fn interface(&self, id: &ServiceId) -> Option<&Arc<Interface>> {
        self.interfaces.get(id)
    }

    /// The certificate of a gateway by its fingerprint.
    #[must_use]
    pub fn gateway_certificate(&self, fingerprint: &[u8; 32]) -> Option<&Arc<Certified>> {
        self.authentication.get(fingerprint)
    }

    /// The certificate of a signer by its fingerprint.
    #[must_use]
    pub fn signing_certificate(&self, fingerprint: &[u8; 32]) -> Option<&Arc<Certified>> {
        self.signing.get(fingerprint)
    }

    /// Refuses everything once the directory is past its date.
    ///
    /// # Errors
    /// `OutdatedGlobalConf`
    pub fn is_current(&self, place: Place, now: Timestamp) -> Result<(), Fault> {
        match self.directory.valid_until {
            Some(until) if now > until => Err(Fault::new(
                place,
                Kind::OutdatedGlobalConf,
                "the directory of members and agreements is out of date",
            )),
            _ => Ok(()),
        }
    }

    /// The agreement that gates a call now.
    ///
    /// # Errors
    /// `UnknownService`, `ServiceDisabled`, `AccessDenied`
    pub fn agreement(
        &self,
        place: Place,
        service: &ServiceId,
        client: &MemberId,
        now: Timestamp,
    ) -> Result<(Arc<Interface>, Arc<Agreement>), Fault> {
        let interface = self
            .interfaces
            .get(service)
            .ok_or_else(|| Fault::new(place, Kind::UnknownService, format!("there is no service `{service}`")))?;
        if !interface.enabled {
            return Err(Fault::new(
                place,
                Kind::ServiceDisabled,
                format!("the service `{service}` is switched off"),
            ));
        }
        let today = legal_day(now);
        let of_client = || {
            let all = self.agreements.get(service).map(Vec::as_slice).unwrap_or_default();
            all.iter().filter(|agreement| agreement.client.covers(client))
        };
        let in_force = of_client().find(|one| one.enabled && one.from <= today && today <= one.to);
        match (in_force, of_client().next()) {
            (Some(agreement), _) => Ok((Arc::clone(interface), Arc::clone(agreement))),
            (None, Some(_)) => Err(Fault::new(
                place,
                Kind::AccessDenied,
                "the agreement for this call is switched off or not in force today",
            )),
            (None, None) => Err(Fault::new(
                place,
                Kind::AccessDenied,
                format!("`{client}` has no agreement for `{service}`"),
            )),
        }
    }

    /// Whether the provider gives a client a right to an endpoint. Deny by default.
    #[must_use]
    pub fn has_right(&self, service: &ServiceId, client: &MemberId, method: &str, parts: &[String]) -> bool {
        let rights = self.rights.get(service).map(Vec::as_slice).unwrap_or_default();
        rights.iter().filter(|right| right.client.covers(client)).any(|right| {
            right.endpoints.is_empty() || right.endpoints.iter().any(|endpoint| endpoint.matches(method, parts))
        })
    }

    /// The rights a client has to a service.
    pub fn rights_of<'a>(&'a self, service: &ServiceId, client: &'a MemberId) -> impl Iterator<Item = &'a Arc<Right>> {
        let rights = self.rights.get(service).map(Vec::as_slice).unwrap_or_default();
        rights.iter().filter(move |right| right.client.covers(client))
    }

    /// The pattern of the interface's endpoints a call falls under: what the log names instead of the path.
    #[must_use]
    pub fn endpoint(interface: &Interface, method: &str, parts: &[String]) -> Option<String> {
        let found = interface
            .endpoints
            .iter()
            .find(|endpoint| endpoint.matches(method, parts));
        found.map(|endpoint| endpoint.path.clone())
    }

    /// All certificates, those that end first before the others.
    #[must_use]
    pub fn expiries(&self, now: Timestamp) -> Vec<Expiry> {
        let list = |certificates: &HashMap<[u8; 32], Arc<Certified>>, signs: bool| {
            let purpose = if signs {
                Purpose::Signing
            } else {
                Purpose::ServerAuthentication
            };
            certificates
                .values()
                .map(|certified| Expiry {
                    member: certified.owner.clone(),
                    signs_messages: signs,
                    facts: certified.facts.clone(),
                    problem: match (certified.serves(purpose, now), signs) {
                        (Ok(()), _) => None,
                        // one that only calls needs no purpose of a server
                        (Err(_), false) => certified.serves(Purpose::ClientAuthentication, now).err(),
                        (Err(problem), true) => Some(problem),
                    },
                })
                .collect::<Vec<_>>()
        };
        let mut all = list(&self.authentication, false);
        all.extend(list(&self.signing, true));
        all.sort_by_key(|one| (one.facts.not_after, one.facts.fingerprint));
        all
    }
}

fn check_patterns(endpoints: &[crate::directory::Endpoint]) -> Result<(), DirectoryError> {
    match endpoints.iter().find(|endpoint| !endpoint.is_pattern()) {
        None => Ok(()),
        Some(endpoint) => Err(DirectoryError::Pattern {
            method: endpoint.method.clone(),
            path: endpoint.path.clone(),
        }),
    }
}

fn check_interface(interface: &Interface, has_seal: bool) -> Result<(), DirectoryError> {
    if let Some(base) = &interface.base {
        let plain = matches!(base.scheme(), "http" | "https")
            && base.has_host()
            && base.username().is_empty()
            && base.password().is_none()
            && base.query().is_none()
            && base.fragment().is_none();
        if !plain {
            return Err(DirectoryError::Base(Box::new(interface.id.clone())));
        }
    }
    if interface.keep == Keep::Full && !has_seal {
        return Err(DirectoryError::NoSeal(Box::new(interface.id.clone())));
    }
    check_patterns(&interface.endpoints)
}
