//! The session with a sender (RFC 5321, as much as a sender needs).

use super::Mailbox;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Most bytes of a message.
const LARGEST: usize = 1 << 20;
/// Most bytes of a line of a command and of a message; the standard asks for 512 and 1000.
const COMMAND: usize = 4096;
const LINE: usize = 64 * 1024;
/// Most recipients of a message.
const RECIPIENTS: usize = 20;
/// Longest session.
const SESSION: Duration = Duration::from_secs(120);

/// Takes messages until it is told to stop.
pub async fn receive(listener: TcpListener, mailbox: Mailbox, mut stopped: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let Ok((stream, _)) = accepted else {
            // out of sockets: some will be closed soon
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let mailbox = mailbox.clone();
        tokio::spawn(async move {
            let _ = tokio::time::timeout(SESSION, talk(stream, &mailbox)).await;
        });
    }
}

/// A line from the sender.
enum Line {
    /// Without its CRLF.
    Whole(Vec<u8>),
    /// It ended with a line feed alone.
    Bare(Vec<u8>),
    /// It is longer than allowed; its rest is still to come, or was read over.
    Long,
}

async fn talk(stream: TcpStream, mailbox: &Mailbox) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.demo.invalid ESMTP\r\n").await?;
    let (mut from, mut to) = (false, Vec::<String>::new());
    loop {
        let line = match read_line(&mut stream, COMMAND).await? {
            Line::Whole(line) => String::from_utf8_lossy(&line).trim_end().to_owned(),
            Line::Bare(_) => {
                stream.write_all(b"500 lines end with CRLF\r\n").await?;
                continue;
            }
            Line::Long => {
                // what follows might be anything; nothing of it is taken for a command
                stream.write_all(b"500 line too long\r\n").await?;
                return Ok(());
            }
        };
        let upper = line.to_ascii_uppercase();
        let answer = if upper.starts_with("EHLO") {
            (from, to) = (false, Vec::new());
            format!("250-mail.demo.invalid\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE {LARGEST}")
        } else if upper.starts_with("HELO") {
            (from, to) = (false, Vec::new());
            "250 mail.demo.invalid".to_owned()
        } else if upper.starts_with("MAIL FROM:") {
            (from, to) = (true, Vec::new());
            "250 ok".to_owned()
        } else if upper.starts_with("RCPT TO:") {
            match line.split_once('<').and_then(|(_, rest)| rest.split_once('>')) {
                _ if !from => "503 not now".to_owned(),
                _ if to.len() >= RECIPIENTS => "452 too many recipients".to_owned(),
                Some((address, _)) if !address.is_empty() => {
                    to.push(address.to_owned());
                    "250 ok".to_owned()
                }
                _ => "501 no address".to_owned(),
            }
        } else if upper == "DATA" {
            if to.is_empty() {
                "503 no recipient".to_owned()
            } else {
                stream.write_all(b"354 end with a dot\r\n").await?;
                from = false;
                let to = std::mem::take(&mut to);
                match content(&mut stream).await? {
                    Ok(source) => match mailbox.put(to, source) {
                        Ok(()) => "250 kept".to_owned(),
                        Err(_) => "451 can't be kept".to_owned(),
                    },
                    Err(refusal) => refusal.to_owned(),
                }
            }
        } else if upper == "RSET" {
            (from, to) = (false, Vec::new());
            "250 ok".to_owned()
        } else if upper == "NOOP" {
            "250 ok".to_owned()
        } else if upper == "QUIT" {
            stream.write_all(b"221 bye\r\n").await?;
            return Ok(());
        } else {
            "502 unknown".to_owned()
        };
        stream.write_all(answer.as_bytes()).await?;
        stream.write_all(b"\r\n").await?;
    }
}

/// A line, or as much of it as is allowed; the end of the stream ends the talk.
async fn read_line(stream: &mut BufReader<TcpStream>, most: usize) -> std::io::Result<Line> {
    let mut line = Vec::new();
    let mut limited = AsyncReadExt::take(&mut *stream, u64::try_from(most).unwrap_or(u64::MAX));
    let read = limited.read_until(b'\n', &mut line).await?;
    if line.pop_if(|last| *last == b'\n').is_none() {
        return if read == most {
            Ok(Line::Long)
        } else {
            Err(std::io::ErrorKind::UnexpectedEof.into())
        };
    }
    Ok(match line.pop_if(|last| *last == b'\r') {
        Some(_) => Line::Whole(line),
        None => Line::Bare(line),
    })
}

/// The lines until the one with a dot alone, leading dots taken off (RFC 5321, 4.5.2); or why they are refused.
///
/// A line feed alone ends no line: two servers that read it differently could be made to see two messages where one was sent.
async fn content(stream: &mut BufReader<TcpStream>) -> std::io::Result<Result<String, &'static str>> {
    let mut bytes = Vec::new();
    let mut refusal = None;
    let mut begins = true;
    loop {
        let (line, end) = match read_line(stream, LINE).await? {
            Line::Whole(line) => (line, b"\r\n".as_slice()),
            Line::Bare(line) => (line, b"\n".as_slice()),
            Line::Long => {
                refusal = Some("500 line too long");
                begins = false;
                continue;
            }
        };
        let is_whole = end.len() == 2;
        if begins && is_whole && line == b"." {
            return Ok(match refusal {
                Some(refusal) => Err(refusal),
                None => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            });
        }
        let text = match line.strip_prefix(b".") {
            Some(rest) if begins => rest,
            _ => &line,
        };
        if !is_whole {
            refusal = refusal.or(Some("500 lines end with CRLF"));
        } else if bytes.len() + text.len() + end.len() > LARGEST {
            refusal = refusal.or(Some("552 too large"));
        }
        if refusal.is_none() {
            bytes.extend_from_slice(text);
            bytes.extend_from_slice(end);
        }
        begins = is_whole;
    }
}
