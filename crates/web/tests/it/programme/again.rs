//! A form that is shown again stands over what its reader has seen: what a colleague saved meanwhile is shown, and lost by nobody.

use super::call::{Call, PROGRAMME};
use super::execution::{at, funded};

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_not_saved_over_a_draft_that_was_never_seen() {
    let call = Call::new().await;
    let (mut writer, _, here, _) = funded(&call).await;
    let mut wu = call.writer("wu", "KEE").await;
    at(&call, "2025-04-02T02:00:00Z");
    let first = format!("{here}/execution/report/1");
    let (of_writer, of_wu) = (writer.get(&first).await, wu.get(&first).await);
    let theirs = [
        ("progress", "20"),
        ("spending", "900,000"),
        ("done", "同仁寫的完成事項"),
        ("what", "save"),
    ];
    wu.submit(&of_wu, "/report/1", &theirs).await.is(303);
    // a number that can't be read is told first, and the page still stands over the empty form that was seen
    let fields = [
        ("progress", "兩成"),
        ("spending", "1"),
        ("done", "自己寫的完成事項"),
        ("what", "save"),
    ];
    let unreadable = writer.submit(&of_writer, "/report/1", &fields).await;
    unreadable.is(422).has("name=\"seen\" value=\"0\"");
    let readable = [("progress", "25"), ("what", "save")];
    let refused = writer.submit(&unreadable, "/report/1", &readable).await;
    refused
        .is(409)
        .has("wu 先生剛才儲存的內容")
        .has("同仁寫的完成事項")
        .has("自己寫的完成事項")
        .has("value=\"25\"");
    // what has been seen now is saved over
    let saved = writer.submit(&refused, "/report/1", &[("what", "save")]).await;
    writer.follow(&saved).await.has("草稿已儲存");
    let page = writer.get(&first).await;
    page.has("自己寫的完成事項")
        .lacks("同仁寫的完成事項")
        .has("name=\"seen\" value=\"2\"");
    // a text that is too long was not kept, what can't be sent yet was
    let long = "長".repeat(4_001);
    let too_long = [("done", long.as_str()), ("what", "save")];
    let refused = writer.submit(&page, "/report/1", &too_long).await;
    refused.is(422).has("請縮短").has("name=\"seen\" value=\"2\"");
    let falls = [("progress", "5"), ("what", "send")];
    let refused = writer.submit(&page, "/report/1", &falls).await;
    refused
        .is(422)
        .has("請寫原因與改善作法")
        .has("name=\"seen\" value=\"3\"");
    // what a colleague has sent meanwhile has no form any more
    let sends = [("reason", "招標流標"), ("what", "send")];
    let page = wu.get(&first).await;
    wu.submit(&page, "/report/1", &sends).await.is(303);
    writer.submit(&refused, "/report/1", &sends).await.is(409);
    writer.submit(&of_writer, "/report/1", &theirs).await.is(409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_is_not_changed_by_who_has_not_seen_it() {
    let call = Call::new().await;
    let (mut officer, mut other) = (call.officer("officer").await, call.officer("other").await);
    let here = format!("/programme/calls/{PROGRAMME}/meeting");
    let (page, theirs) = (officer.get(&here).await, other.get(&here).await);
    let fields = |day, place| {
        [
            ("day", day),
            ("place", place),
            ("begins", "09:30"),
            ("minutes", "20"),
            ("pause", ""),
            ("pause_until", ""),
        ]
    };
    let convened = other
        .submit(&theirs, "/convene", &fields("113-06-18", "部本部 301 會議室"))
        .await;
    convened.is(303);
    let refused = officer.submit(&page, "/convene", &fields("不久", "視訊會議室")).await;
    refused.is(422).has("請填日期");
    let again = officer
        .submit(&refused, "/convene", &fields("113-06-20", "視訊會議室"))
        .await;
    again.is(409);
    officer.get(&here).await.has("部本部 301 會議室").lacks("視訊會議室");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_not_decided_over_what_was_never_seen() {
    let call = Call::new().await;
    let (_, _, received) = call.sent("lin", "KEE").await;
    let (mut officer, mut other) = (call.officer("chou").await, call.officer("other").await);
    let (page, theirs) = (officer.get(&received).await, other.get(&received).await);
    let grades = [("urgency", "5"), ("feasibility", "4")];
    other.submit(&theirs, "/appraise", &grades).await.is(303);
    let refused = officer.submit(&page, "/grant", &[("amount", "很多")]).await;
    refused.is(422).has("請填整數金額");
    let reason = [("reason", "與補助目的不符")];
    officer.submit(&refused, "/refuse", &reason).await.is(409);
    // who looks at the page of now decides
    let page = officer.get(&received).await;
    officer.submit(&page, "/refuse", &reason).await.is(303);
}
