//! The lottery itself: which ticket comes before which.

use crate::draw::FORMAT;
use crate::list::{ListError, SealedList, Ticket};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Who comes before whom: by group, then points, then lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// For each ticket of the list, how many come before it when groups are left aside.
    pub(crate) rank: Vec<u32>,
}

/// The order of a list's tickets by this seed.
///
/// The key is `SHA-256("tongban-draw-1\n" + digest of the list + "\n" + seed)`. A ticket's lot is the smallest of
/// `HMAC-SHA-256(key, id + "\n" + n)` for n from 0 to its weight - 1, read as a number: a ticket of weight 2 has two lots
/// and is drawn by the better one. Smaller lots come first.
///
/// # Errors
/// Where the list is not sound or the seed is empty.
pub fn order(list: &SealedList, seed: &str) -> Result<Order, ListError> {
    if seed.trim().is_empty() {
        return Err(ListError::Seed);
    }
    let digest = list.digest()?;
    let key = Sha256::digest(format!("{FORMAT}\n{digest}\n{seed}"));
    let keyed = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).map_err(|_| ListError::Seed)?;
    let mut lots: Vec<(u32, [u8; 32], usize)> = list
        .tickets
        .iter()
        .enumerate()
        .map(|(place, ticket)| (u32::MAX - ticket.points, lot(&keyed, ticket), place))
        .collect();
    // ids differ, so equal lots would need a collision of SHA-256; the place in the list then decides
    lots.sort_unstable();
    let mut rank = vec![0; list.tickets.len()];
    for (at, (_, _, place)) in (0_u32..).zip(&lots) {
        if let Some(cell) = rank.get_mut(*place) {
            *cell = at;
        }
    }
    Ok(Order { rank })
}

fn lot(keyed: &Hmac<Sha256>, ticket: &Ticket) -> [u8; 32] {
    let lots = (0..ticket.weight).map(|unit| {
        let mut mac = keyed.clone();
        mac.update(ticket.id.as_bytes());
        mac.update(b"\n");
        mac.update(unit.to_string().as_bytes());
        mac.finalize().into_bytes().into()
    });
    lots.min().unwrap_or([u8::MAX; 32])
}

impl Order {
    /// How many tickets come before this one at a place, as something to sort by: the group there, then points and lot.
    pub(crate) fn at(&self, ticket: &Ticket, number: usize, place: &str) -> (u32, u32) {
        let group = ticket.priority_at.get(place).copied().unwrap_or(ticket.priority);
        (group, self.rank.get(number).copied().unwrap_or(u32::MAX))
    }
}
