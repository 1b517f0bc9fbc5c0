//! What the demonstration says when the portal is open: in words, or as one line of JSON for programs.

use super::DemoArgs;
use super::staff::Member;
use crate::config::Config;
use peers::Running;
use std::io::Write as _;

/// Addresses of what stands beside the portal and is none of the [`Running`] peers.
pub(super) struct Beside<'a> {
    pub(super) messages: &'a str,
    pub(super) wallet: &'a str,
    pub(super) phone: &'a str,
    pub(super) card: &'a str,
}

/// Says where everything is.
pub(super) fn tell(
    args: &DemoArgs,
    config: &Config,
    running: &Running,
    beside: &Beside<'_>,
    members: &[Member],
    offered: &[String],
) {
    let portal = config.portal.as_str().trim_end_matches('/');
    let mut out = std::io::stdout().lock();
    if args.json {
        let staff: Vec<_> = members
            .iter()
            .map(|member| serde_json::json!({ "account": member.account, "password": member.password, "role": member.role, "name": member.name, "totp_secret": member.totp_secret }))
            .collect();
        let line = serde_json::json!({
            "portal": portal,
            "issuer": running.issuer.address,
            "mydata": running.mydata.address.as_str().trim_end_matches('/'),
            "mailbox": running.mailbox,
            "bank": running.bank,
            "messages": beside.messages,
            "wallet": beside.wallet,
            "phone": beside.phone,
            "card": beside.card,
            "residents": args.residents,
            "people": running.accounts().iter().map(|account| serde_json::json!({ "national_id": account.national_id, "name": account.name, "note": account.note, "email": account.email })).collect::<Vec<_>>(),
            "staff": staff,
            "offered": offered,
        });
        let _ = writeln!(out, "{line}");
        let _ = out.flush();
        return;
    }
    let _ = writeln!(
        out,
        "\n  通辦 Tongban · 示範城市 demonstration city · {} 位虛構市民 made-up residents\n",
        args.residents
    );
    for (what, address) in [
        ("入口網 Portal", portal.to_owned()),
        ("承辦端 Office", format!("{portal}/office")),
        ("信箱 Mailbox", running.mailbox.clone()),
        ("簡訊、LINE、推播 Text messages, LINE, push", beside.messages.to_owned()),
        ("銀行 Bank", running.bank.clone()),
        ("數位憑證皮夾 Wallet", beside.wallet.to_owned()),
        (
            "代替手機的頁面 Stands in for the phone (行動自然人憑證)",
            beside.phone.to_owned(),
        ),
        (
            "代替讀卡機的頁面 Stands in for the card reader (自然人憑證)",
            beside.card.to_owned(),
        ),
        (
            "驗證碼 One-time codes of the staff",
            format!("{}/staff", running.mailbox),
        ),
    ] {
        let _ = writeln!(out, "  {address:<34} {what}");
    }
    let _ = writeln!(out, "\n  市民在登入頁選擇 Residents are chosen on the sign-in page:");
    for account in running.accounts() {
        let _ = writeln!(out, "  {}  {}  {}", account.national_id, account.name, account.note);
    }
    let _ = writeln!(
        out,
        "\n  也可以用手機或卡片登入：輸入上面的統一編號，再到代替手機或讀卡機的頁面確認。\n  \
         Or sign in by phone or card: type a national id from above, then confirm on the page that stands in."
    );
    let _ = writeln!(out, "\n  承辦人員 Staff (account, password, authenticator secret):");
    for member in members {
        let _ = writeln!(
            out,
            "  {:<11} {:<26} {}  {}",
            member.account, member.password, member.totp_secret, member.name
        );
    }
    let _ = writeln!(out, "\n  Ctrl-C 停止 stops. 資料在 Data in {}\n", args.data.display());
}
