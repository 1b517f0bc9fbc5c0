use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::str::FromStr as _;
use std::sync::{Mutex, PoisonError};

use cedar_policy::{
    ActionConstraint, Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy,
    PolicySet, PrincipalConstraint, Request, RequestEnv, ResourceConstraint, RestrictedExpression, Schema,
    ValidationMode, Validator,
};
use civic::Purpose;
use uuid::Uuid;

use super::question::Question;
use super::{Acting, Actor, Grant, Refused, Resource};
use crate::StoreError;

/// The policies built in: the same files that lie beside the program.
const BUILT_IN: &[&str] = &[
    include_str!("../../../../policies/agent.cedar"),
    include_str!("../../../../policies/rolls.cedar"),
    include_str!("../../../../policies/residents.cedar"),
    include_str!("../../../../policies/staff.cedar"),
    include_str!("../../../../policies/platform.cedar"),
    include_str!("../../../../policies/counter.cedar"),
    include_str!("../../../../policies/confirm.cedar"),
    include_str!("../../../../policies/find.cedar"),
    include_str!("../../../../policies/outreach.cedar"),
    include_str!("../../../../policies/channels.cedar"),
    include_str!("../../../../policies/road.cedar"),
    include_str!("../../../../policies/subsidies.cedar"),
    include_str!("../../../../policies/privacy.cedar"),
    include_str!("../../../../policies/datasets.cedar"),
];
const SCHEMA: &str = include_str!("../../../../policies/tongban.cedarschema");
/// Most bytes of policies read from a folder.
const LARGEST: u64 = 1 << 20;

/// The policies, read and checked.
pub struct Access {
    /// For each kind of request the policies whose head can hold: all others say nothing of it, and evaluating them every
    /// time would cost more than all else a page does.
    asked: HashMap<(EntityTypeName, EntityUid, EntityTypeName), PolicySet>,
    authorizer: Authorizer,
    names: Names,
    answered: Mutex<Answered>,
}

/// Answers of late. An answer hangs on nothing but the question and the policies, which never change, so the same question
/// need not be answered twice.
#[derive(Default)]
struct Answered {
    /// The newest, at most [`REMEMBERED`], and as many before them.
    new: HashMap<Vec<u8>, bool>,
    old: HashMap<Vec<u8>, bool>,
}

/// Answers remembered, and as many once more.
const REMEMBERED: usize = 2048;

impl Answered {
    fn of(&self, question: &[u8]) -> Option<bool> {
        self.new.get(question).or_else(|| self.old.get(question)).copied()
    }

    fn keep(&mut self, question: Vec<u8>, answer: bool) {
        if self.new.len() >= REMEMBERED {
            self.old = std::mem::take(&mut self.new);
        }
        self.new.insert(question, answer);
    }
}

/// Names of entity types, parsed once.
struct Names(HashMap<&'static str, EntityTypeName>);

const TYPES: &[&str] = &[
    "Agent",
    "Authorisation",
    "Register",
    "Roll",
    "System",
    "Resident",
    "Staff",
    "Application",
    "Profile",
    "Office",
    "Approval",
    "Plan",
    "Request",
    "Batch",
    "Round",
    "Confirmation",
    "Campaign",
    "Lookup",
    "Dataset",
    "Action",
];

/// Whether the head of a policy can hold for a kind of request. No request brings a hierarchy of actors, actions or things,
/// so `in` is as much as being the same.
fn concerns(policy: &Policy, env: &RequestEnv) -> bool {
    let actor = match policy.principal_constraint() {
        PrincipalConstraint::Any => true,
        PrincipalConstraint::In(one) | PrincipalConstraint::Eq(one) => one.type_name() == env.principal(),
        PrincipalConstraint::Is(kind) | PrincipalConstraint::IsIn(kind, _) => kind == *env.principal(),
    };
    let action = match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::In(several) => several.contains(env.action()),
        ActionConstraint::Eq(one) => one == *env.action(),
    };
    let thing = match policy.resource_constraint() {
        ResourceConstraint::Any => true,
        ResourceConstraint::In(one) | ResourceConstraint::Eq(one) => one.type_name() == env.resource(),
        ResourceConstraint::Is(kind) | ResourceConstraint::IsIn(kind, _) => kind == *env.resource(),
    };
    actor && action && thing
}

fn unusable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Policies(error.to_string())
}

impl Access {
    /// The policies built in.
    ///
    /// # Errors
    /// [`StoreError::Policies`]; a test reads them.
    pub fn built_in() -> Result<Access, StoreError> {
        Access::read(&BUILT_IN.join("\n"), SCHEMA)
    }

    /// The policies of a folder: every `*.cedar` file, checked against its `tongban.cedarschema`.
    ///
    /// # Errors
    /// [`StoreError::Policies`] names what is wrong.
    pub fn load(folder: &Path) -> Result<Access, StoreError> {
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .map_err(|error| StoreError::Policies(format!("{}: {error}", folder.display())))?
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "cedar"))
            .collect();
        files.sort();
        let mut text = String::new();
        for path in files {
            let size = path.metadata().map_err(unusable)?.len();
            if text.len() as u64 + size > LARGEST {
                return Err(StoreError::Policies(format!(
                    "the policies are larger than {LARGEST} bytes"
                )));
            }
            text.push_str(
                &std::fs::read_to_string(&path)
                    .map_err(|error| StoreError::Policies(format!("{}: {error}", path.display())))?,
            );
            text.push('\n');
        }
        let schema = folder.join("tongban.cedarschema");
        let schema = std::fs::read_to_string(&schema)
            .map_err(|error| StoreError::Policies(format!("{}: {error}", schema.display())))?;
        Access::read(&text, &schema)
    }

    /// Reads policies and checks each against the schema.
    ///
    /// # Errors
    /// [`StoreError::Policies`].
    pub fn read(policies: &str, schema: &str) -> Result<Access, StoreError> {
        let (schema, _warnings) = Schema::from_cedarschema_str(schema).map_err(unusable)?;
        let policies = PolicySet::from_str(policies).map_err(unusable)?;
        for policy in policies.policies() {
            let literals = policy.entity_literals();
            let named = literals
                .iter()
                .find(|uid| !matches!(uid.type_name().basename(), "Action" | "System"));
            if let Some(named) = named {
                return Err(StoreError::Policies(format!(
                    "policy `{}` names `{named}`; a policy compares who acts with whose it is and names nobody",
                    policy.id()
                )));
            }
        }
        let mut asked = HashMap::new();
        for env in schema.request_envs() {
            let concerned = policies.policies().filter(|policy| concerns(policy, &env));
            let concerned = PolicySet::from_policies(concerned.cloned()).map_err(unusable)?;
            let kind = (env.principal().clone(), env.action().clone(), env.resource().clone());
            asked.insert(kind, concerned);
        }
        let checked = Validator::new(schema).validate(&policies, ValidationMode::Strict);
        if let Some(error) = checked.validation_errors().next() {
            return Err(unusable(error));
        }
        let mut names = HashMap::new();
        for &name in TYPES {
            names.insert(name, EntityTypeName::from_str(name).map_err(unusable)?);
        }
        Ok(Access {
            asked,
            authorizer: Authorizer::new(),
            names: Names(names),
            answered: Mutex::default(),
        })
    }

    /// Decides.
    ///
    /// # Errors
    /// [`Refused`] unless a policy allows it and none forbids it.
    pub fn decide(
        &self,
        actor: Actor<'_>,
        action: &str,
        resource: Resource<'_>,
        purpose: Purpose,
    ) -> Result<Grant, Refused> {
        let refused = || Refused {
            action: action.to_owned(),
        };
        if !self.allows(actor, action, resource, &purpose) {
            return Err(refused());
        }
        let (owner_kind, owner_id) = match resource {
            Resource::Application { id, .. }
            | Resource::Entrusted { id, .. }
            | Resource::Served { id, .. }
            | Resource::Confirmation { id, .. }
            | Resource::Lookup { id, .. } => ("application", id.to_string()),
            Resource::Authorisation { id, .. } => ("authorisation", id.to_string()),
            Resource::Profile(id) | Resource::ServedProfile { id, .. } | Resource::Request { owner: id, .. } => {
                ("person", id.to_string())
            }
            Resource::Register(id) => ("register", id.to_string()),
            Resource::Campaign { id, .. } => ("campaign", id.to_string()),
            Resource::Plan { id, .. } => ("plan", id.to_string()),
            Resource::Office(_)
            | Resource::Dataset { .. }
            | Resource::Approval { .. }
            | Resource::Batch { .. }
            | Resource::Round { .. }
            | Resource::Roll { .. } => ("", String::new()),
        };
        Ok(Grant {
            owner_kind,
            owner_id,
            purpose,
        })
    }

    /// The answer, from memory where the same was asked of late.
    fn allows(&self, actor: Actor<'_>, action: &str, resource: Resource<'_>, purpose: &Purpose) -> bool {
        let question = Question::key(actor, action, resource, purpose);
        let known = self
            .answered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .of(&question);
        if let Some(known) = known {
            return known;
        }
        let answer = self.ask(actor, action, resource, purpose).unwrap_or(false);
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.keep(question, answer);
        answer
    }

    /// `None` where the question itself can't be put.
    fn ask(&self, actor: Actor<'_>, action: &str, resource: Resource<'_>, purpose: &Purpose) -> Option<bool> {
        let principal = self.actor(actor)?;
        let thing = self.resource(resource)?;
        let action = self.names.uid("Action", action)?;
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let context = Context::from_pairs([
            ("code".to_owned(), text(&purpose.code)),
            ("basis".to_owned(), text(&purpose.basis)),
            ("function".to_owned(), text(&purpose.function)),
        ])
        .ok()?;
        // what the schema does not know of is asked of no policy
        let (actor, kind) = (principal.uid().type_name().clone(), thing.uid().type_name().clone());
        let policies = self.asked.get(&(actor, action.clone(), kind))?;
        let request = Request::new(principal.uid(), action, thing.uid(), context, None).ok()?;
        let entities = Entities::from_entities([principal, thing], None).ok()?;
        Some(self.authorizer.is_authorized(&request, policies, &entities).decision() == Decision::Allow)
    }

    fn actor(&self, actor: Actor<'_>) -> Option<Entity> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let (uid, attributes) = match actor {
            Actor::System => (self.names.uid("System", "platform")?, HashMap::new()),
            Actor::Resident(id) => (self.names.id("Resident", id)?, HashMap::new()),
            Actor::Agent(acting) => return self.agent(acting),
            Actor::Staff { id, role, agency } => (
                self.names.id("Staff", id)?,
                HashMap::from([("role".to_owned(), text(role)), ("agency".to_owned(), text(agency))]),
            ),
        };
        Entity::new(uid, attributes, HashSet::new()).ok()
    }

    /// An agent is named by the authorisation, so that each stands for itself.
    fn agent(&self, acting: Acting<'_>) -> Option<Entity> {
        let words = |words: &[String]| {
            RestrictedExpression::new_set(words.iter().map(|word| RestrictedExpression::new_string(word.clone())))
        };
        let attributes = HashMap::from([
            (
                "acts_for".to_owned(),
                RestrictedExpression::new_entity_uid(self.names.id("Resident", acting.principal)?),
            ),
            ("services".to_owned(), words(acting.services)),
            ("acts".to_owned(), words(acting.acts)),
            ("in_force".to_owned(), RestrictedExpression::new_bool(acting.in_force)),
        ]);
        Entity::new(self.names.id("Agent", acting.id)?, attributes, HashSet::new()).ok()
    }

    /// The attributes of a reference to somebody, where there is somebody.
    fn reference(
        &self,
        attributes: &mut HashMap<String, RestrictedExpression>,
        name: &str,
        kind: &str,
        id: Option<Uuid>,
    ) -> Option<()> {
        if let Some(id) = id {
            attributes.insert(
                name.to_owned(),
                RestrictedExpression::new_entity_uid(self.names.id(kind, id)?),
            );
        }
        Some(())
    }

    fn resource(&self, resource: Resource<'_>) -> Option<Entity> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let (uid, attributes) = match resource {
            Resource::Application {
                id,
                owner,
                agency,
                state,
            } => {
                let mut attributes =
                    HashMap::from([("agency".to_owned(), text(agency)), ("state".to_owned(), text(state))]);
                if let Some(owner) = owner {
                    attributes.insert(
                        "owner".to_owned(),
                        RestrictedExpression::new_entity_uid(self.names.id("Resident", owner)?),
                    );
                }
                (self.names.id("Application", id)?, attributes)
            }
            Resource::Entrusted {
                id,
                owner,
                agency,
                state,
                service,
                opened_under,
            } => {
                let mut attributes = HashMap::from([
                    ("agency".to_owned(), text(agency)),
                    ("state".to_owned(), text(state)),
                    ("service".to_owned(), text(service)),
                ]);
                self.reference(&mut attributes, "owner", "Resident", owner)?;
                self.reference(&mut attributes, "opened_under", "Agent", opened_under)?;
                (self.names.id("Application", id)?, attributes)
            }
            Resource::Authorisation {
                id,
                principal,
                person,
                staff,
            } => {
                let mut attributes = HashMap::new();
                self.reference(&mut attributes, "given_by", "Resident", principal)?;
                self.reference(&mut attributes, "person", "Resident", person)?;
                self.reference(&mut attributes, "staff", "Staff", staff)?;
                (self.names.id("Authorisation", id)?, attributes)
            }
            Resource::Served {
                id,
                owner,
                agency,
                state,
                channel,
                by,
            } => {
                let resident = RestrictedExpression::new_entity_uid(self.names.id("Resident", owner)?);
                let clerk = RestrictedExpression::new_entity_uid(self.names.id("Staff", by)?);
                let attributes = HashMap::from([
                    ("agency".to_owned(), text(agency)),
                    ("state".to_owned(), text(state)),
                    ("channel".to_owned(), text(channel)),
                    ("owner".to_owned(), resident),
                    ("served_by".to_owned(), clerk),
                ]);
                (self.names.id("Application", id)?, attributes)
            }
            Resource::ServedProfile { id, by } => {
                let owner = RestrictedExpression::new_entity_uid(self.names.id("Resident", id)?);
                let clerk = RestrictedExpression::new_entity_uid(self.names.id("Staff", by)?);
                let attributes = HashMap::from([("owner".to_owned(), owner), ("served_by".to_owned(), clerk)]);
                (self.names.id("Profile", id)?, attributes)
            }
            Resource::Profile(id) => {
                let owner = RestrictedExpression::new_entity_uid(self.names.id("Resident", id)?);
                (
                    self.names.id("Profile", id)?,
                    HashMap::from([("owner".to_owned(), owner)]),
                )
            }
            Resource::Office(agency) => (
                self.names.uid("Office", agency)?,
                HashMap::from([("agency".to_owned(), text(agency))]),
            ),
            Resource::Lookup {
                id,
                agency,
                state,
                dataset,
                purposes,
            } => {
                let purposes = purposes.iter().map(|code| text(code));
                let attributes = HashMap::from([
                    ("agency".to_owned(), text(agency)),
                    ("state".to_owned(), text(state)),
                    ("dataset".to_owned(), text(dataset)),
                    ("purposes".to_owned(), RestrictedExpression::new_set(purposes)),
                ]);
                (self.names.id("Lookup", id)?, attributes)
            }
            Resource::Dataset { id, steward } => (
                self.names.uid("Dataset", id)?,
                HashMap::from([("steward".to_owned(), text(steward))]),
            ),
            Resource::Confirmation { id, body } => (
                self.names.id("Confirmation", id)?,
                HashMap::from([("body".to_owned(), text(body))]),
            ),
            Resource::Approval { id, made_by } => {
                let maker = RestrictedExpression::new_entity_uid(self.names.id("Staff", made_by)?);
                (
                    self.names.id("Approval", id)?,
                    HashMap::from([("made_by".to_owned(), maker)]),
                )
            }
            Resource::Plan {
                id,
                government,
                ministry,
                state,
                conflicted,
            } => {
                let conflicted: Option<Vec<RestrictedExpression>> = conflicted
                    .iter()
                    .map(|id| Some(RestrictedExpression::new_entity_uid(self.names.id("Staff", *id)?)))
                    .collect();
                let attributes = HashMap::from([
                    ("government".to_owned(), text(government)),
                    ("ministry".to_owned(), text(ministry)),
                    ("state".to_owned(), text(state)),
                    ("conflicted".to_owned(), RestrictedExpression::new_set(conflicted?)),
                ]);
                (self.names.id("Plan", id)?, attributes)
            }
            Resource::Batch { id, made_by } => {
                let maker = RestrictedExpression::new_entity_uid(self.names.id("Staff", made_by)?);
                (
                    self.names.id("Batch", id)?,
                    HashMap::from([("made_by".to_owned(), maker)]),
                )
            }
            Resource::Register(id) => (self.names.id("Register", id)?, HashMap::new()),
            Resource::Campaign { id, agency } => (
                self.names.id("Campaign", id)?,
                HashMap::from([("agency".to_owned(), text(agency))]),
            ),
            Resource::Roll { id, agency, made_by } => {
                let maker = RestrictedExpression::new_entity_uid(self.names.id("Staff", made_by)?);
                (
                    self.names.id("Roll", id)?,
                    HashMap::from([("agency".to_owned(), text(agency)), ("made_by".to_owned(), maker)]),
                )
            }
            Resource::Request { id, owner, agency } => {
                let owner = RestrictedExpression::new_entity_uid(self.names.id("Resident", owner)?);
                let mut attributes = HashMap::from([("owner".to_owned(), owner)]);
                attributes.extend(agency.map(|agency| ("agency".to_owned(), text(agency))));
                (self.names.id("Request", id)?, attributes)
            }
            Resource::Round { id, agency, sealed_by } => {
                let sealer = RestrictedExpression::new_entity_uid(self.names.id("Staff", sealed_by)?);
                (
                    self.names.id("Round", id)?,
                    HashMap::from([("agency".to_owned(), text(agency)), ("sealed_by".to_owned(), sealer)]),
                )
            }
        };
        Entity::new(uid, attributes, HashSet::new()).ok()
    }
}

impl Names {
    fn uid(&self, name: &str, id: &str) -> Option<EntityUid> {
        Some(EntityUid::from_type_name_and_id(
            self.0.get(name)?.clone(),
            EntityId::new(id),
        ))
    }

    fn id(&self, name: &str, id: Uuid) -> Option<EntityUid> {
        self.uid(name, &id.to_string())
    }
}
