//! Messages against a small SMTP server.

use exchange::mail::{Config, Mail, MailError, Mailer, Protection};
use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A server that takes messages, or answers each RCPT with `reply`.
async fn server(reply: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Arc::new(Mutex::new(Vec::new()));
    let messages = taken.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, reply, messages.clone()));
        }
    });
    (port, taken)
}

async fn converse(stream: TcpStream, reply: &'static str, messages: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 mail.example ESMTP\r\n").await.ok()?;
    while let Some(line) = lines.next_line().await.ok()? {
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-mail.example\r\n250 8BITMIME",
            "RCPT" => reply,
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                let mut message = String::new();
                loop {
                    let line = lines.next_line().await.ok()??;
                    if line == "." {
                        break;
                    }
                    message.push_str(&line);
                    message.push('\n');
                }
                messages.lock().unwrap().push(message);
                "250 taken"
            }
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
    Some(())
}

fn config(port: u16) -> Config {
    toml::from_str(&format!(
        "host = \"127.0.0.1\"\nport = {port}\nprotection = \"none\"\nfrom = \"no-reply@city.example\"\n\
         from_name = \"示範市政府\"\ntimeout_seconds = 5"
    ))
    .unwrap()
}

fn mail() -> Mail<'static> {
    Mail {
        to: "person@example.org",
        subject: "您的申請已核定",
        text: "您好：\n您的申請已核定。\n.\n市政府敬上",
        html: Some("<p>您的申請已核定。</p>"),
        id: "letter-019ab3c4",
        at: "2025-11-24T02:00:00Z".parse::<Timestamp>().unwrap(),
    }
}

#[tokio::test]
async fn sends_and_sends_again_recognisably() {
    let (port, taken) = server("250 fine").await;
    let mailer = Mailer::new(&config(port)).unwrap();
    mailer.send(&mail()).await.unwrap();
    mailer.send(&mail()).await.unwrap();
    let taken = taken.lock().unwrap().clone();
    assert_eq!(taken.len(), 2);
    for message in &taken {
        assert!(
            message.contains("Message-ID: <letter-019ab3c4@city.example>"),
            "{message}"
        );
        assert!(message.contains("Date: Mon, 24 Nov 2025 02:00:00 +0000"), "{message}");
        assert!(message.contains("To: person@example.org"), "{message}");
        assert!(message.contains("Subject: =?utf-8?b?"), "{message}");
        assert!(
            message.contains("multipart/alternative") && message.contains("text/html"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn sends_plain_text_alone() {
    let (port, taken) = server("250 fine").await;
    let mailer = Mailer::new(&config(port)).unwrap();
    mailer.send(&Mail { html: None, ..mail() }).await.unwrap();
    let message = taken.lock().unwrap()[0].clone();
    assert!(
        message.contains("Content-Type: text/plain; charset=utf-8") && !message.contains("multipart"),
        "{message}"
    );
}

#[tokio::test]
async fn tells_refusal_and_delay_apart() {
    let (port, _) = server("550 no such person").await;
    let refused = Mailer::new(&config(port)).unwrap().send(&mail()).await.unwrap_err();
    assert_eq!((refused.may_retry(), refused), (false, MailError::Refused(Some(550))));
    let (port, _) = server("451 later").await;
    let later = Mailer::new(&config(port)).unwrap().send(&mail()).await.unwrap_err();
    assert_eq!((later.may_retry(), later), (true, MailError::Later(Some(451))));
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let unreachable = Mailer::new(&config(closed)).unwrap().send(&mail()).await.unwrap_err();
    assert_eq!(unreachable, MailError::Later(None));
}

#[tokio::test]
async fn waits_no_longer_than_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(listener.local_addr().unwrap().port());
    config.timeout_seconds = 1;
    let begun = std::time::Instant::now();
    let error = Mailer::new(&config).unwrap().send(&mail()).await.unwrap_err();
    assert!(error.may_retry() && begun.elapsed().as_secs() < 10);
}

#[tokio::test]
async fn refuses_injected_headers() {
    let (port, taken) = server("250 fine").await;
    let mailer = Mailer::new(&config(port)).unwrap();
    let send = async |mail: Mail<'_>| mailer.send(&mail).await.unwrap_err();
    assert_eq!(
        send(Mail {
            subject: "a\r\nBcc: x@example.org",
            ..mail()
        })
        .await,
        MailError::Subject
    );
    assert_eq!(
        send(Mail {
            subject: "a\nb",
            ..mail()
        })
        .await,
        MailError::Subject
    );
    assert_eq!(
        send(Mail {
            to: "a@example.org\r\nBcc: x@example.org",
            ..mail()
        })
        .await,
        MailError::Receiver
    );
    assert_eq!(
        send(Mail {
            to: "a@example.org, b@example.org",
            ..mail()
        })
        .await,
        MailError::Receiver
    );
    assert_eq!(
        send(Mail {
            to: "Name <a@example.org>",
            ..mail()
        })
        .await,
        MailError::Receiver
    );
    assert_eq!(
        send(Mail {
            id: "a>\r\nX: y",
            ..mail()
        })
        .await,
        MailError::Id
    );
    assert_eq!(send(Mail { id: "", ..mail() }).await, MailError::Id);
    assert!(taken.lock().unwrap().is_empty());
    assert!(!format!("{:?}", mail()).contains("person"));
}

#[test]
fn refuses_unusable_configurations() {
    let mut with_password = config(25);
    (with_password.username, with_password.password) = (Some("city".to_owned()), Some("word".to_owned()));
    assert!(
        matches!(Mailer::new(&with_password), Err(MailError::Config(_))),
        "no password without TLS"
    );
    with_password.protection = Protection::StartTls;
    assert!(!format!("{with_password:?}").contains("word"));
    let mut no_sender = config(25);
    no_sender.from = "nobody".to_owned();
    assert!(matches!(Mailer::new(&no_sender), Err(MailError::Config(_))));
    no_sender.from = "no-reply@city.example".to_owned();
    no_sender.from_name = Some("a\r\nBcc: x@example.org".to_owned());
    assert!(matches!(Mailer::new(&no_sender), Err(MailError::Config(_))));
}
