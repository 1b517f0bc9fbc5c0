//! The ledger as a file that anyone can verify without the database ([`super::verify_file`]).
//!
//! The file begins with a line that names the format. Records follow, each with its letter: `W` a
//! text of the dictionary (number, length, bytes), `E` an entry (fixed length, below), `H` the head
//! (number, hash), which ends the file. All texts stand before the first entry. Numbers are big-endian.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;

use super::verify::{Link, links, words};
use super::{Fault, Head};
use crate::{Store, StoreError};

pub(super) const NAME: &[u8] = b"tongban ledger 1\n";
/// Length of an entry: seq, at, actor, what is present, actor id, application, subject, three
/// texts, count, hash.
pub(super) const ENTRY: usize = 8 + 8 + 1 + 1 + 16 + 16 + 32 + 8 * 3 + 8 + 32;

/// Writes the ledger as it is now to `path` and returns its head.
///
/// # Errors
/// [`StoreError::Files`] when the file can't be written; the database's.
pub async fn export(store: &Store, path: &Path) -> Result<Head, StoreError> {
    let failed = |error: std::io::Error| StoreError::Files(format!("{}: {error}", path.display()));
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).map_err(failed)?);
    out.write_all(NAME).map_err(failed)?;
    let head = super::head(store.read()).await?;
    words(store.read(), i64::MIN, |id, text| {
        write_word(&mut out, id, text).map_err(failed)
    })
    .await?;
    links(store.read(), Head::EMPTY, head, |link| {
        out.write_all(&encode(&link)).map_err(failed)
    })
    .await?;
    out.write_all(b"H").map_err(failed)?;
    out.write_all(&head.seq.to_be_bytes()).map_err(failed)?;
    out.write_all(&head.hash).map_err(failed)?;
    let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    Ok(head)
}

fn write_word(out: &mut impl Write, id: u64, text: &str) -> std::io::Result<()> {
    out.write_all(b"W")?;
    out.write_all(&id.to_be_bytes())?;
    out.write_all(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes())?;
    out.write_all(text.as_bytes())
}

fn encode(link: &Link) -> Vec<u8> {
    let present = u8::from(link.actor_id.is_some())
        | u8::from(link.application.is_some()) << 1
        | u8::from(link.subject.is_some()) << 2;
    let mut out = Vec::with_capacity(ENTRY + 1);
    out.push(b'E');
    out.extend_from_slice(&link.seq.to_be_bytes());
    out.extend_from_slice(&link.at.to_be_bytes());
    out.push(link.actor);
    out.push(present);
    out.extend_from_slice(&link.actor_id.unwrap_or_default());
    out.extend_from_slice(&link.application.unwrap_or_default());
    out.extend_from_slice(&link.subject.unwrap_or_default());
    for number in [link.action, link.purpose, link.fields, link.count] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    out.extend_from_slice(&link.hash);
    out
}

pub(super) fn entry(reader: &mut impl Read) -> Result<Link, Fault> {
    let seq = u64::from_be_bytes(take(reader)?);
    let at = i64::from_be_bytes(take(reader)?);
    let [actor, present] = take(reader)?;
    if present > 0b111 {
        return Err(Fault::Impossible(seq));
    }
    let actor_id = take(reader)?;
    let application = take(reader)?;
    let subject = take(reader)?;
    let mut number = || Ok(u64::from_be_bytes(take(reader)?));
    let (action, purpose, fields, count) = (number()?, number()?, number()?, number()?);
    // What isn't there has no bytes that could carry anything.
    if (present & 1 == 0 && actor_id != [0; 16])
        || (present & 2 == 0 && application != [0; 16])
        || (present & 4 == 0 && subject != [0; 32])
    {
        return Err(Fault::Impossible(seq));
    }
    Ok(Link {
        seq,
        at,
        actor,
        actor_id: (present & 1 != 0).then_some(actor_id),
        action,
        purpose,
        application: (present & 2 != 0).then_some(application),
        subject: (present & 4 != 0).then_some(subject),
        fields,
        count,
        hash: take(reader)?,
    })
}

pub(super) fn take<const N: usize>(reader: &mut impl Read) -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    fill(reader, &mut bytes)?;
    Ok(bytes)
}

pub(super) fn fill(reader: &mut impl Read, bytes: &mut [u8]) -> Result<(), Fault> {
    reader.read_exact(bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Fault::File("it ends before its head; it was cut off".into()),
        _ => Fault::File(error.to_string()),
    })
}

/// Writes a file as [`export`] does, of as many made-up entries as asked, of a thousand persons and cases: for the bench.
///
/// # Errors
/// The file can't be written.
#[cfg(feature = "testing")]
pub fn generate(path: &Path, entries: u64) -> std::io::Result<Head> {
    use super::hash;
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    out.write_all(NAME)?;
    let texts = [
        "read_case",
        "057\u{1f}\u{8001}\u{4eba}\u{798f}\u{5229}\u{6cd5} \u{a7}12\u{1f}review",
        "account\u{1f}name",
    ];
    for (id, text) in (1..).zip(texts) {
        write_word(&mut out, id, text)?;
    }
    let [action, purpose, fields] = texts.map(hash::text);
    let mut head = Head::EMPTY;
    for seq in 1..=entries {
        let mut link = Link {
            seq,
            at: 1_700_000_000_000_000 + i64::try_from(seq).unwrap_or(0) * 1_000,
            actor: 1,
            actor_id: Some([u8::try_from(seq % 251).unwrap_or(0); 16]),
            action: 1,
            purpose: 2,
            application: Some(u128::from(seq % 1_000).to_be_bytes()),
            subject: Some([u8::try_from(seq % 241).unwrap_or(0); 32]),
            fields: 3,
            count: 1,
            hash: [0; 32],
        };
        let canonical = hash::Canonical {
            seq,
            at: link.at,
            actor: link.actor,
            actor_id: link.actor_id.as_ref(),
            action: &action,
            purpose: &purpose,
            application: link.application.as_ref(),
            subject: link.subject.as_ref(),
            fields: &fields,
            count: link.count,
        };
        link.hash = hash::chained(&head.hash, &canonical);
        head = Head { seq, hash: link.hash };
        out.write_all(&encode(&link))?;
    }
    out.write_all(b"H")?;
    out.write_all(&head.seq.to_be_bytes())?;
    out.write_all(&head.hash)?;
    out.flush()?;
    Ok(head)
}
