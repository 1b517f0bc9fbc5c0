//! The ledger as a file that anyone can verify without the database.
//!
//! The file begins with a line that names the format. Records follow, each with its letter: `W` a
//! text of the dictionary (number, length, bytes), `E` an entry (fixed length, below), `H` the head
//! (number, hash), which ends the file. Numbers are big-endian.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use super::verify::{Link, Walk, links, words};
use super::{Fault, Head, Verified};
use crate::{Store, StoreError};

const NAME: &[u8] = b"tongban ledger 1\n";
/// Longest text; the program writes none longer.
const TEXT: u32 = 1 << 20;
/// Length of an entry: seq, at, actor, what is present, actor id, application, subject, three
/// texts, count, hash.
const ENTRY: usize = 8 + 8 + 1 + 1 + 16 + 16 + 32 + 8 * 3 + 8 + 32;

/// Writes the ledger as it is now to `path` and returns its head.
///
/// # Errors
/// [`StoreError::Files`] when the file can't be written; the database's.
pub async fn export(store: &Store, path: &Path) -> Result<Head, StoreError> {
    let failed = |error: std::io::Error| StoreError::Files(format!("{}: {error}", path.display()));
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).map_err(failed)?);
    out.write_all(NAME).map_err(failed)?;
    let head = super::head(store.read()).await?;
    words(store.read(), |id, text| write_word(&mut out, id, text).map_err(failed)).await?;
    links(store.read(), head, |link| out.write_all(&encode(&link)).map_err(failed)).await?;
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

/// Verifies a file made by [`export`], in bounded memory, and compares it with a head published
/// earlier. Blocks; call it from a thread of its own.
///
/// # Errors
/// The first fault found.
pub fn verify_file(path: &Path, published: Option<Head>) -> Result<Verified, Fault> {
    let file = File::open(path).map_err(|error| Fault::File(format!("{}: {error}", path.display())))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut name = [0; NAME.len()];
    fill(&mut reader, &mut name)?;
    if name != NAME {
        return Err(Fault::File("this is not a ledger file of a known version".into()));
    }
    let mut walk = Walk::new(published);
    loop {
        let [kind] = take::<1>(&mut reader)?;
        match kind {
            b'W' => {
                let id = u64::from_be_bytes(take(&mut reader)?);
                let length = u32::from_be_bytes(take(&mut reader)?);
                if length > TEXT {
                    return Err(Fault::File(format!("text {id} is too long")));
                }
                let mut text = vec![0; length as usize];
                fill(&mut reader, &mut text)?;
                let text = String::from_utf8(text).map_err(|_| Fault::File(format!("text {id} is not UTF-8")))?;
                walk.word(id, &text);
            }
            b'E' => walk.step(&entry(&mut reader)?)?,
            b'H' => {
                let stated = Head {
                    seq: u64::from_be_bytes(take(&mut reader)?),
                    hash: take(&mut reader)?,
                };
                let mut rest = [0; 1];
                if reader.read(&mut rest).unwrap_or(1) != 0 {
                    return Err(Fault::File("something follows the head".into()));
                }
                let verified = walk.finish()?;
                if verified.head != stated {
                    return Err(Fault::File("its head is not that of its last entry".into()));
                }
                return Ok(verified);
            }
            _ => return Err(Fault::File("unknown kind of record".into())),
        }
    }
}

fn entry(reader: &mut impl Read) -> Result<Link, Fault> {
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

fn take<const N: usize>(reader: &mut impl Read) -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    fill(reader, &mut bytes)?;
    Ok(bytes)
}

fn fill(reader: &mut impl Read, bytes: &mut [u8]) -> Result<(), Fault> {
    reader.read_exact(bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Fault::File("it ends before its head; it was cut off".into()),
        _ => Fault::File(error.to_string()),
    })
}
