//! The mail server under senders that know the protocol, that don't, and that mean harm; and the page that shows what came.

use crate::support::http::{Reply, get};
use crate::support::{World, at};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// A session, past the greeting.
struct Session(BufReader<TcpStream>);

impl Session {
    async fn open(world: &World) -> Session {
        let mut session = Session(BufReader::new(TcpStream::connect(world.peers.smtp).await.unwrap()));
        assert_eq!(session.answer().await, 220);
        session
    }

    /// Open, and far enough for the content of a message.
    async fn at_data(world: &World) -> Session {
        let mut session = Session::open(world).await;
        for (command, answer) in [
            ("EHLO city.invalid", 250),
            ("MAIL FROM:<city@demo.invalid>", 250),
            ("RCPT TO:<mei@demo.invalid>", 250),
            ("DATA", 354),
        ] {
            assert_eq!(session.say(command).await, answer, "{command}");
        }
        session
    }

    async fn send(&mut self, bytes: &[u8]) {
        // the server may have hung up already; its answer tells
        let _ = self.0.get_mut().write_all(bytes).await;
    }

    /// The code of the next answer; 0 where the server has hung up.
    async fn answer(&mut self) -> u16 {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await.unwrap_or(0) == 0 {
                return 0;
            }
            assert!(line.ends_with("\r\n"), "{line:?}");
            if line.as_bytes()[3] != b'-' {
                return line[..3].parse().unwrap();
            }
        }
    }

    async fn say(&mut self, command: &str) -> u16 {
        self.send(format!("{command}\r\n").as_bytes()).await;
        self.answer().await
    }

    async fn content(&mut self, bytes: &[u8]) -> u16 {
        self.send(bytes).await;
        self.answer().await
    }
}

impl World {
    async fn list(&self) -> Reply {
        get(&at(&self.peers.mailbox, "/"), &[]).await
    }

    async fn letter(&self, number: u32) -> Reply {
        get(&at(&self.peers.mailbox, &format!("/messages/{number}")), &[]).await
    }

    /// How many letters there are.
    async fn count(&self) -> usize {
        self.list().await.text().matches("href=\"/messages/").count()
    }
}

#[tokio::test]
async fn a_letter_is_shown_to_whom_it_was_sent() {
    let world = World::new().await;
    assert_eq!((world.count().await, world.letter(1).await.status), (0, 404));
    let mut session = Session::at_data(&world).await;
    let source = "Subject: =?utf-8?b?5oKo55qE55Sz6KuL?=\r\nMessage-ID: <1@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n5bey5pS25Yiw44CC\r\n.\r\n";
    assert_eq!(session.content(source.as_bytes()).await, 250);
    assert_eq!(session.say("QUIT").await, 221);
    let list = world.list().await.text();
    assert!(list.contains("您的申請") && list.contains("mei@demo.invalid"), "{list}");
    assert!(world.letter(1).await.text().contains("已收到。"));
}

/// RFC 5321, 4.5.2: a leading dot is doubled by the sender and taken off here; only a dot alone ends the letter.
#[tokio::test]
async fn dots_are_unstuffed() {
    let world = World::new().await;
    let mut session = Session::at_data(&world).await;
    assert_eq!(
        session
            .content(b"Subject: x\r\n\r\n..\r\n..one\r\na.b\r\n...two\r\n. \r\n.\r\n")
            .await,
        250
    );
    let text = world.letter(1).await.text();
    assert!(text.contains("<pre>.\r\n.one\r\na.b\r\n..two\r\n \r\n</pre>"), "{text}");
}

/// A line feed alone ends nothing: no second letter can be hidden in a first one (SMTP smuggling).
#[tokio::test]
async fn a_bare_line_feed_does_not_end_a_letter() {
    let world = World::new().await;
    for end in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r"] {
        let mut session = Session::at_data(&world).await;
        let hidden = "MAIL FROM:<evil@x>\r\nRCPT TO:<v@x>\r\nDATA\r\nSubject: hidden\r\n\r\nhidden";
        let content = format!("Subject: outer\r\n\r\nouter{end}{hidden}\r\n.\r\n");
        let answer = session.content(content.as_bytes()).await;
        let has_bare = content.replace("\r\n", "").contains('\n');
        assert_eq!(answer, if has_bare { 500 } else { 250 }, "{end:?}");
        assert_eq!(
            session.say("NOOP").await,
            250,
            "{end:?}: the session is where it should be"
        );
    }
    let list = world.list().await.text();
    assert!(!list.contains("hidden") && !list.contains("evil"), "{list}");
}

#[tokio::test]
async fn commands_end_with_crlf_and_are_of_bounded_length() {
    let world = World::new().await;
    let mut session = Session::open(&world).await;
    session.send(b"EHLO x\n").await;
    assert_eq!(session.answer().await, 500, "a line feed alone");
    assert_eq!(session.say("EHLO x").await, 250);

    let mut session = Session::open(&world).await;
    session.send(&[b'x'; 5_000]).await;
    assert_eq!(
        (session.answer().await, session.answer().await),
        (500, 0),
        "no end in sight"
    );

    let mut session = Session::open(&world).await;
    let long = format!("EHLO {}\r\nQUIT\r\n", "x".repeat(5_000));
    session.send(long.as_bytes()).await;
    assert_eq!(
        (session.answer().await, session.answer().await),
        (500, 0),
        "nothing of its rest is a command"
    );

    let mut session = Session::open(&world).await;
    session.send(b"NOO").await;
    session.0.get_mut().shutdown().await.unwrap();
    assert_eq!(session.answer().await, 0, "half a command is none");
}

#[tokio::test]
async fn a_letter_that_is_too_large_is_refused_and_the_session_goes_on() {
    let world = World::new().await;
    let mut session = Session::at_data(&world).await;
    let line = format!("{}\r\n", "x".repeat(998));
    let large = format!("Subject: large\r\n\r\n{}.\r\n", line.repeat(1_100));
    assert_eq!(session.content(large.as_bytes()).await, 552);
    for (command, answer) in [("MAIL FROM:<a@x>", 250), ("RCPT TO:<b@x>", 250), ("DATA", 354)] {
        assert_eq!(session.say(command).await, answer);
    }
    let long = format!("Subject: long\r\n\r\n{}\r\n.\r\n", "x".repeat(200_000));
    assert_eq!(session.content(long.as_bytes()).await, 500);
    assert_eq!(session.say("NOOP").await, 250);
    assert_eq!(world.count().await, 0);
}

/// A letter cut off is none.
#[tokio::test]
async fn a_letter_without_its_end_is_not_kept() {
    let world = World::new().await;
    let mut session = Session::at_data(&world).await;
    session.send(b"Subject: cut\r\n\r\nhalf a").await;
    session.0.get_mut().shutdown().await.unwrap();
    assert_eq!(session.answer().await, 0);
    assert_eq!(world.count().await, 0);
}

#[tokio::test]
async fn commands_out_of_order_and_unknown_ones_are_told() {
    let world = World::new().await;
    let mut session = Session::open(&world).await;
    for (command, answer) in [
        ("DATA", 503),
        ("RCPT TO:<a@x>", 503),
        ("VRFY a", 502),
        ("", 502),
        ("\u{0}\u{1}", 502),
        ("MAIL FROM:<a@x>", 250),
        ("DATA", 503),
        ("RCPT TO:a@x", 501),
        ("RCPT TO:<>", 501),
        ("RCPT TO:<a@x>", 250),
        ("RSET", 250),
        ("DATA", 503),
        ("mail from:<a@x>", 250),
        ("rcpt to:<a@x>", 250),
        ("EHLO again", 250),
        ("DATA", 503),
    ] {
        assert_eq!(session.say(command).await, answer, "{command:?}");
    }
    session.say("MAIL FROM:<a@x>").await;
    for number in 0..20 {
        assert_eq!(session.say(&format!("RCPT TO:<{number}@x>")).await, 250);
    }
    assert_eq!(session.say("RCPT TO:<20@x>").await, 452);
}

/// Whatever a head, an address or a text says, the page shows it as text.
#[tokio::test]
async fn what_a_letter_says_is_shown_as_text() {
    let world = World::new().await;
    let script = "<script>alert(1)</script>";
    let encoded = openssl::base64::encode_block(format!("a\r\nBcc: all@x\r\n\r\n{script}").as_bytes());
    let mut session = Session::open(&world).await;
    session.say("MAIL FROM:<a@x>").await;
    session.say("RCPT TO:<\"<img src=x onerror=1>\"@x>").await;
    session.say("RCPT TO:<b\"onmouseover='1'@x>").await;
    session.say("DATA").await;
    let source = format!(
        "Subject: =?utf-8?b?{encoded}?= {script}\r\nTo: {script}\r\n\r\n{script} http://x/\"onclick=\"1 javascript:alert(1) </pre>\r\n.\r\n"
    );
    assert_eq!(session.content(source.as_bytes()).await, 250);
    for page in [world.list().await, world.letter(1).await] {
        let text = page.text();
        assert!(!text.contains("<script") && !text.contains("<img"), "{text}");
        assert!(!text.contains("\"onmouseover") && !text.contains("\"onclick"), "{text}");
        assert!(text.contains("&lt;script&gt;"), "{text}");
        assert_eq!(text.matches("href=\"javascript").count(), 0);
        assert_eq!(text.matches("</pre>").count(), text.matches("<pre>").count());
        assert!(
            page.header("content-security-policy")
                .is_some_and(|policy| policy.contains("default-src 'none'"))
        );
    }
    assert!(
        !world.list().await.text().contains("all@x\""),
        "an encoded line break adds no recipient"
    );
}

/// Odd heads and bodies are shown somehow; none takes the page down.
#[tokio::test]
async fn odd_letters_are_shown_somehow() {
    let world = World::new().await;
    let odd: [&[u8]; 9] = [
        b"\r\n",
        b"no head at all\r\n",
        b"Subject: =?utf-8?b?!!!?= =?x?y?= =?utf-8?q?=ZZ=?=\r\n\r\nx\r\n",
        b"Subject: \xff\xfe\r\n\r\n\xff\r\n",
        b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\nx\r\n",
        b"Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\nno part\r\n",
        b"Content-Transfer-Encoding: base64\r\n\r\n===\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=\r\n",
        b"Subject\r\n: x\r\n\r\n\x00\x1b[31m\r\n",
    ];
    for (at, source) in odd.iter().enumerate() {
        let mut session = Session::at_data(&world).await;
        assert_eq!(
            session.content(&[source, b".\r\n".as_slice()].concat()).await,
            250,
            "{at}"
        );
        let number = u32::try_from(at).unwrap() + 1;
        assert_eq!(world.letter(number).await.status, 200, "{at}");
    }
    assert_eq!(world.count().await, odd.len());
}

/// A sender that died before it heard the answer sends again; that is one letter. To another person it is another.
#[tokio::test]
async fn a_letter_sent_again_is_one_and_outlives_a_restart() {
    let world = World::new().await;
    for _ in 0..2 {
        let mut session = Session::at_data(&world).await;
        assert_eq!(
            session
                .content(b"Message-ID: <1@x>\r\nSubject: once\r\n\r\nx\r\n.\r\n")
                .await,
            250
        );
    }
    assert_eq!(world.count().await, 1);
    let mut session = Session::open(&world).await;
    for command in ["MAIL FROM:<a@x>", "RCPT TO:<hao@demo.invalid>", "DATA"] {
        session.say(command).await;
    }
    assert_eq!(
        session
            .content(b"Message-ID: <1@x>\r\nSubject: once\r\n\r\nx\r\n.\r\n")
            .await,
        250
    );
    drop(session);
    assert_eq!(world.count().await, 2);
    let world = world.again().await;
    assert_eq!(world.count().await, 2);
}

/// What could not be written was not taken: the sender is told to come again, and then it is there once.
#[tokio::test]
async fn a_letter_that_cannot_be_written_is_not_kept() {
    let world = World::new().await;
    let beside = world.folder.path().join("peers/mailbox.new");
    std::fs::create_dir(&beside).unwrap();
    let letter = b"Message-ID: <1@x>\r\nSubject: x\r\n\r\nx\r\n.\r\n";
    assert_eq!(Session::at_data(&world).await.content(letter).await, 451);
    assert_eq!(world.count().await, 0);
    std::fs::remove_dir(&beside).unwrap();
    assert_eq!(Session::at_data(&world).await.content(letter).await, 250);
    assert_eq!(world.count().await, 1);
}
