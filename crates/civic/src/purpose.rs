//! Why somebody touches a person's data, and by which way an application came.

use crate::ids::ApplicationId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The purpose (特定目的) of a use of personal data, without which there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purpose {
    /// Code of 個人資料保護法之特定目的及個人資料之類別, such as `065`.
    pub code: String,
    /// The law it rests on.
    pub basis: String,
    /// What is done, such as `review`.
    pub function: String,
    /// The application it is done for.
    pub application: Option<ApplicationId>,
}

/// The way an application came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// By the resident on the portal.
    Online,
    /// By a clerk at the counter (臨櫃).
    Counter,
    /// By a digital agent (數位代理人) on the portal.
    Agent,
}

impl Channel {
    /// The word kept in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Channel::Online => "online",
            Channel::Counter => "counter",
            Channel::Agent => "agent",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Channel {
    type Err = ();

    fn from_str(word: &str) -> Result<Channel, ()> {
        [Channel::Online, Channel::Counter, Channel::Agent]
            .into_iter()
            .find(|channel| channel.word() == word)
            .ok_or(())
    }
}
