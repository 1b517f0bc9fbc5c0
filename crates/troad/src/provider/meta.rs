//! The metaservices (PR-MREST, PR-META): who is on the road, which services there are, which a caller may use, how they are
//! described.

use crate::directory::{Directory, Endpoint, Interface};
use crate::fault::{Fault, Kind, Place};
use crate::ids::{MemberId, ServiceId};
use crate::registry::Registry;
use crate::target::{Meta, Target};
use serde_json::{Value, json};

/// Answers a metaservice: media type and body.
///
/// # Errors
/// `Client.BadRequest`, `Server.ServerProxy.UnknownService`
pub(super) fn answer(
    registry: &Registry,
    meta: Meta,
    target: &Target,
    client: &MemberId,
) -> Result<(&'static str, Vec<u8>), Fault> {
    const JSON: &str = "application/json; charset=utf-8";
    let provider = &target.service.provider;
    match meta {
        Meta::ListMethods => Ok((
            JSON,
            methods(registry, provider, |_| true, |interface| interface.endpoints.clone()),
        )),
        Meta::AllowedMethods => {
            let allowed = |interface: &Interface| registry.rights_of(&interface.id, client).next().is_some();
            let endpoints = |interface: &Interface| {
                let mut all = Vec::new();
                for right in registry.rights_of(&interface.id, client) {
                    let given = if right.endpoints.is_empty() {
                        &interface.endpoints
                    } else {
                        &right.endpoints
                    };
                    all.extend(
                        given
                            .iter()
                            .filter(|endpoint| !all.contains(*endpoint))
                            .cloned()
                            .collect::<Vec<_>>(),
                    );
                }
                all
            };
            Ok((JSON, methods(registry, provider, allowed, endpoints)))
        }
        Meta::GetOpenApi => {
            let code = target
                .parameter("serviceCode")
                .ok_or_else(|| Fault::bad_request("the query must name a `serviceCode`"))?;
            let id = ServiceId {
                provider: provider.clone(),
                code,
            };
            let unknown = |what: &str| Fault::new(Place::ServerProxy, Kind::UnknownService, what);
            let interface = registry
                .interface(&id)
                .filter(|interface| interface.base.is_some())
                .ok_or_else(|| unknown("there is no such service"))?;
            let text = interface
                .openapi
                .as_ref()
                .ok_or_else(|| unknown("the service has no description"))?;
            let is_json = text.trim_start().starts_with('{');
            let kind = if is_json {
                JSON
            } else {
                "application/yaml; charset=utf-8"
            };
            Ok((kind, text.clone().into_bytes()))
        }
    }
}

fn methods(
    registry: &Registry,
    provider: &MemberId,
    wanted: impl Fn(&Interface) -> bool,
    endpoints: impl Fn(&Interface) -> Vec<Endpoint>,
) -> Vec<u8> {
    let offered = registry.directory().interfaces.iter();
    let services: Vec<Value> = offered
        .filter(|interface| interface.base.is_some() && interface.id.provider == *provider && wanted(interface))
        .map(|interface| {
            let list: Vec<Value> = endpoints(interface)
                .iter()
                .map(|endpoint| json!({"method": endpoint.method, "path": endpoint.path}))
                .collect();
            json!({
                "object_type": "SERVICE",
                "xroad_instance": provider.instance,
                "member_class": provider.class,
                "member_code": provider.member,
                "subsystem_code": provider.subsystem,
                "service_code": interface.id.code,
                "service_type": if interface.openapi.is_some() { "OPENAPI" } else { "REST" },
                "endpoint_list": list,
            })
        })
        .collect();
    json!({ "service": services }).to_string().into_bytes()
}

/// Members and their subsystems, as `/listClients` answers.
pub(crate) fn clients(directory: &Directory) -> Value {
    let one = |kind: &str, name: &str, id: &MemberId, subsystem: Option<&String>| {
        let mut value = json!({
            "object_type": kind,
            "xroad_instance": id.instance,
            "member_class": id.class,
            "member_code": id.member,
        });
        if let (Some(subsystem), Some(map)) = (subsystem, value.as_object_mut()) {
            map.insert("subsystem_code".to_owned(), json!(subsystem));
        }
        json!({ "name": name, "id": value })
    };
    let members = directory.members.iter().flat_map(|member| {
        let own = std::iter::once(one("MEMBER", &member.name, &member.id, None));
        let below = member
            .subsystems
            .iter()
            .map(|code| one("SUBSYSTEM", &member.name, &member.id, Some(code)));
        own.chain(below).collect::<Vec<_>>()
    });
    json!({ "member": members.collect::<Vec<_>>() })
}
