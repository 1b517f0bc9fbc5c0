//! The cashiers: due, batch, four eyes, the bank's file and its report.

use cases::Role;

use crate::town::Town;

/// The bank's report on an order: EndToEndId, and the reason code of a refusal.
fn report(order: &str, payments: &[(&str, Option<&str>)]) -> Vec<u8> {
    let line = |(id, code): &(&str, Option<&str>)| match code {
        Some(code) => format!(
            "<TxInfAndSts><OrgnlEndToEndId>{id}</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf></TxInfAndSts>"
        ),
        None => format!("<TxInfAndSts><OrgnlEndToEndId>{id}</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>"),
    };
    let lines: String = payments.iter().map(line).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>\
         <GrpHdr><MsgId>R1</MsgId><CreDtTm>2025-11-24T10:00:00+08:00</CreDtTm></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>{order}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts>\
         <OrgnlPmtInfAndSts><OrgnlPmtInfId>{order}</OrgnlPmtInfId>{lines}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    )
    .into_bytes()
}

const SERVICE: [(&str, &str); 2] = [("service", "senior-allowance"), ("month", "2025-11")];

#[tokio::test(flavor = "multi_thread")]
async fn two_people_see_every_batch_and_refusals_come_back_as_work() {
    let town = Town::new().await;
    let officer = town.kit.staff("officer", Role::Officer).await;
    for number in [1, 2] {
        let id = town.submitted(number).await;
        town.kit.approved(&officer, id).await;
    }
    let (_, mut maker) = town.on_duty("maker", Role::Cashier).await;
    let (_, mut other) = town.on_duty("other", Role::Cashier).await;

    maker.get("/office/payments").await.has("目前沒有應付款");
    maker
        .post(
            "/office/payments/prepare",
            &[("service", "senior-allowance"), ("month", "114/11")],
        )
        .await
        .is(422)
        .has("請用西元年和月");
    maker
        .post("/office/payments/prepare", &[("service", "none"), ("month", "2025-11")])
        .await
        .is(422)
        .has("請選擇服務項目");
    maker
        .post(
            "/office/payments/prepare",
            &[("service", "senior-allowance"), ("month", "2025-12")],
        )
        .await
        .is(422)
        .has("這個月份還沒到");
    let page = maker.post("/office/payments/prepare", &SERVICE).await;
    maker.follow(&page).await.has("新增 2 筆應付款").has("16,658");
    let page = maker.post("/office/payments/prepare", &SERVICE).await;
    maker.follow(&page).await.has("新增 0 筆應付款");

    let page = maker.post("/office/payments/batch", &SERVICE).await;
    let batch = page.location.split('?').next().unwrap().to_owned();
    let page = maker.follow(&page).await;
    page.is(200)
        .has("待放行")
        .has("16,658")
        .has("maker 先生")
        .has("114-SA-000001")
        .has("要由另一位同仁")
        .lacks("放行</button>");
    page.lacks("林阿梅");
    maker.get(&format!("{batch}/file")).await.is(422).has("還沒放行");
    maker
        .post(&format!("{batch}/release"), &[])
        .await
        .is(403)
        .has("這份清冊是您製作的");

    other.get(&batch).await.is(200).has("放行</button>");
    let page = other.post(&format!("{batch}/release"), &[]).await;
    other.follow(&page).await.has("已放行");
    other.post(&format!("{batch}/release"), &[]).await.is(409);
    maker.post(&format!("{batch}/cancel"), &[]).await.is(409);
    let file = maker.get(&format!("{batch}/file")).await;
    assert_eq!(file.is(200).kind, "application/xml");
    file.has("pain.001.001.09").has("8329");

    // the bank refuses one account
    let ids: Vec<String> = file
        .text()
        .split("<EndToEndId>")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .collect();
    let order = file.between("<MsgId>", "</MsgId>");
    let answer = report(&order, &[(&ids[0], Some("AC04")), (&ids[1], None)]);
    maker.get("/office/payments").await;
    let page = maker.upload("/office/payments/report", "report", &answer).await;
    page.is(200)
        .has("已匯入銀行回覆")
        .has("已入帳 1 筆")
        .has("退回 1 筆")
        .has("帳戶已結清")
        .has("已通知申請人提供新帳戶");
    let page = maker.upload("/office/payments/report", "report", &answer).await;
    page.is(200).has("這個檔案匯入過了").has("沒有任何變動");
    maker.get(&batch).await.has("銀行已回覆").has("已入帳").has("銀行退回");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_report_of_ours_changes_nothing() {
    let town = Town::new().await;
    let (_, mut cashier) = town.on_duty("maker", Role::Cashier).await;
    cashier.get("/office/payments").await;
    let unknown = report("00000000000000000000000000000000", &[]);
    for (file, words) in [
        (b"not xml".as_slice(), "不是我們看得懂的"),
        (
            b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>",
            "不是我們看得懂的",
        ),
        (&[0xff; 4096], "不是我們看得懂的"),
        (&unknown, "沒有匯入任何資料"),
        (b"", "請選擇檔案"),
    ] {
        cashier
            .upload("/office/payments/report", "report", file)
            .await
            .is(422)
            .has(words);
    }
    cashier
        .upload("/office/payments/report", "report", &vec![b' '; 65 * 1024 * 1024])
        .await
        .is(413);
    cashier
        .post("/office/payments/batch", &SERVICE)
        .await
        .is(422)
        .has("沒有可以撥付的款項");
}
