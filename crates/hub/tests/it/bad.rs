//! Bad input: each kind is told clearly and nothing is half published.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::BoxStream;
use hub::{HubError, Lake, Mended, Outcome, rejected, replay};
use object_store::local::LocalFileSystem;
use object_store::path::Path as StorePath;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result as StoreResult,
};

use crate::kit::{City, PLAIN, line};

#[tokio::test]
async fn ragged_rows_are_rejected_with_their_lines() {
    let city = City::of(PLAIN);
    let report = city
        .load("id,name,day\r\n1,\"a\r\nb\",\r\n2,b\r\n3,c,,\r\n\r\n4,d,\r\n")
        .await;
    assert_eq!(report.rows, 2);
    let rejects = rejected(&city.lake, &city.dataset, &report.load, None).await.unwrap();
    let told: Vec<(u64, &str)> = rejects
        .iter()
        .map(|reject| (reject.place, reject.reasons[0].text.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (4, "the row has 2 cells, the heading 3"),
            (5, "the row has 4 cells, the heading 3")
        ]
    );
}

#[tokio::test]
async fn a_quote_that_is_never_closed_does_not_swallow_the_file() {
    let city = City::of(PLAIN);
    let mut text = "id,name,day\n1,a,\n2,\"b,\n".to_owned();
    for row in 0..400_000 {
        text.push_str(&format!("{row},aaaaaaaaaa,\n"));
    }
    let error = city.try_load(&city.file("source", text)).await.unwrap_err();
    assert!(
        error.to_string().contains("quotation mark that is not closed"),
        "{error}"
    );
    assert!(error.to_string().contains("line 3"), "{error}");
    assert!(city.rows().await.is_empty());
}

#[tokio::test]
async fn days_in_five_styles_are_read_and_ambiguous_ones_refused() {
    let styles =
        "formats = [\"iso\", \"roc-slash\", \"roc-compact\", \"roc-long\", \"day-month-year\", \"month-day-year\"]";
    let city = City::of(&PLAIN.replace("formats = [\"iso\"]", styles));
    let report = city
        .load(
            "id,name,day\n1,,2025-11-24\n2,,114/11/24\n3,,1141124\n4,,民國114年11月24日\n5,,24/11/2025\n6,,11/24/2025\n\
             7,,03/04/2025\n8,,04/04/2025\n9,,2025-02-29\n10,,１１４/１１/２４\n11,,yesterday\n",
        )
        .await;
    assert_eq!(
        report.reasons,
        [("day: ambiguous_day".to_owned(), 1), ("day: not_a_day".to_owned(), 2)].into()
    );
    let days = city.rows().await;
    assert_eq!(days.iter().filter(|row| row.ends_with("2025-11-24")).count(), 7);
    assert!(days.contains(&"8 - 2025-04-04".to_owned()));
}

#[tokio::test]
async fn formulas_are_told_by_a_rule_and_never_written_out() {
    let rule =
        "[[quality]]\nname = \"no formulas\"\nseverity = \"warn\"\ncheck = \"formula_free\"\ncolumns = [\"name\"]\n";
    let city = City::of(&(PLAIN.to_owned() + rule));
    let report = city
        .load("id,name,day\n1,=1+1,\n2,+x,\n3,-x,\n4,@x,\n5,\"\tx\",\n6,x=1,\n")
        .await;
    assert_eq!(report.warnings, [("no formulas".to_owned(), 5)].into());
    assert_eq!(city.rows().await[0], "1 =1+1 -");
    let mut out = csv::Writer::from_writer(Vec::new());
    hub::each_batch(&city.lake, &city.dataset, hub::At::Latest, None, &mut |batch| {
        hub::write_csv(&batch, &mut out)
    })
    .await
    .unwrap();
    let text = String::from_utf8(out.into_inner().unwrap()).unwrap();
    assert_eq!(text, "1,'=1+1,\n2,'+x,\n3,'-x,\n4,'@x,\n5,'\tx,\n6,x=1,\n");
}

#[tokio::test]
async fn a_source_that_lies_about_its_columns_is_held() {
    let city = City::of(PLAIN);
    city.load("id,name,day\n1,a,\n").await;
    let report = city.load("id,nane,day\n1,a,\n").await;
    assert_eq!(
        line(&report).split(';').next().unwrap(),
        "held: the source has no column `name` any more"
    );
    let Outcome::Held(why) = &report.outcome else { panic!() };
    assert_eq!(
        why[0].why,
        "the source has no column `name` any more; is it now called `nane`?"
    );
    assert_eq!(
        why[1].why,
        "the source has a column `nane` that the folder of `test` does not know; describe it in a `[[column]]`, or put \
         it into `ignore`"
    );
    // another order is no lie
    assert_eq!(city.load("day,id,name\n,2,b\n").await.outcome, Outcome::Published(2));
    let twice = city.try_load(&city.file("twice", "id,name,name,day\n1,a,b,\n")).await;
    assert!(twice.unwrap_err().to_string().contains("two columns are called `name`"));
    assert_eq!(city.rows().await, ["2 b -"]);
}

#[tokio::test]
async fn a_source_that_lies_about_its_types_is_held_until_the_steward_has_looked() {
    let rules = "[[quality]]\nname = \"few rejects\"\nseverity = \"hold\"\ncheck = \"rejects_at_most\"\nmax = 10\n\
                 [[quality]]\nname = \"no loss\"\nseverity = \"hold\"\ncheck = \"rows_change\"\nmin = 50\n\
                 [[quality]]\nname = \"fresh\"\nseverity = \"hold\"\ncheck = \"fresh\"\ncolumns = [\"day\"]\ndays = 40\n";
    let city = City::of(&(PLAIN.to_owned() + rules));
    let good = "id,name,day\n1,a,2026-11-01\n2,b,\n3,c,\n4,d,\n";
    assert_eq!(city.load(good).await.outcome, Outcome::Published(1));
    let bad = city.file("bad", "id,name,day\nx,a,2026-11-01\n2,b,\n");
    let report = city.try_load(&bad).await.unwrap();
    assert_eq!(
        line(&report).split(';').next().unwrap(),
        "held: the rule `few rejects` holds the load: 1 of 2 rows were rejected, allowed are 10 per cent"
    );
    let Outcome::Held(why) = &report.outcome else { panic!() };
    assert_eq!(why.len(), 3);
    assert_eq!(city.rows().await.len(), 4);
    let mut job = city.job();
    job.accepted = why.iter().filter_map(|held| held.rule.clone()).collect();
    let report = hub::ingest(&city.lake, &city.dataset, &bad, &job).await.unwrap();
    assert_eq!(report.outcome, Outcome::Published(2));
    assert_eq!(report.warnings.len(), 3);
}

#[tokio::test]
async fn mended_rows_are_taken_in_and_the_rest_waits() {
    let city = City::of(PLAIN);
    let source = city.file("source", "id,name,day\n1,a,\nx,b,\n3,c,soon\n4,d\n1,e,\n");
    let load = city.try_load(&source).await.unwrap().load;
    let waiting = hub::waiting(&city.lake, &city.dataset).await.unwrap();
    assert_eq!(waiting, std::slice::from_ref(&load));
    let cell = |name: &str, text: &str| (name.to_owned(), Some(text.to_owned()));
    let mended = [
        Mended {
            place: 3,
            cells: [cell("id", "2")].into(),
        },
        Mended {
            place: 4,
            cells: [cell("day", "later")].into(),
        },
        Mended {
            place: 5,
            cells: [cell("id", "4"), cell("name", "d"), cell("day", "2026-01-01")].into(),
        },
        // the key is there already, and a whole source has no time to say which is later
        Mended {
            place: 6,
            cells: [cell("name", "f")].into(),
        },
    ];
    let report = replay(&city.lake, &city.dataset, &load, &mended, &city.job())
        .await
        .unwrap();
    assert_eq!((report.added, report.rejected, report.rows), (2, 2, 3));
    assert_eq!(city.rows().await, ["1 a -", "2 b -", "4 d 2026-01-01"]);
    let left = rejected(&city.lake, &city.dataset, &load, None).await.unwrap();
    assert_eq!(left.iter().map(|reject| reject.place).collect::<Vec<_>>(), [4, 6]);
    assert_eq!(
        left[0]
            .cells
            .iter()
            .find(|(name, _)| name == "day")
            .unwrap()
            .1
            .as_deref(),
        Some("later")
    );
    // neither the same mending nor the same source undoes it
    let again = replay(&city.lake, &city.dataset, &load, &mended[..1], &city.job()).await;
    assert!(matches!(again, Err(HubError::NotRejected { place: 3 })));
    assert_eq!(city.try_load(&source).await.unwrap().outcome, Outcome::AlreadyPublished);
    assert_eq!(city.rows().await.len(), 3);
}

#[tokio::test]
async fn spreadsheet_formulas_and_other_files_are_refused() {
    let city = City::of(&PLAIN.replace("kind = \"csv\"\nencoding = \"utf-8\"", "kind = \"xlsx\""));
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in ["id", "name", "day"].into_iter().enumerate() {
        sheet.write(0, u16::try_from(column).unwrap(), name).unwrap();
    }
    sheet.write_formula(1, 0, "=1+1").unwrap();
    let path = city.file("source", book.save_to_buffer().unwrap());
    let error = city.try_load(&path).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "the source can't be read: a cell holds a formula at A2, a value that nobody typed; save the values alone and \
         send it again"
    );
    let error = city
        .try_load(&city.file("text", "id,name,day\n"))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("the file is no spreadsheet"), "{error}");
}

/// A store whose disk is full after so many writes.
#[derive(Debug)]
struct Full {
    inner: LocalFileSystem,
    left: AtomicUsize,
}

impl std::fmt::Display for Full {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a disk that fills up")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Full {
    async fn put_opts(&self, to: &StorePath, bytes: PutPayload, how: PutOptions) -> StoreResult<PutResult> {
        let one_less = |left: usize| left.checked_sub(1);
        if self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
            .is_err()
        {
            return Err(object_store::Error::Generic {
                store: "disk",
                source: "No space left on device".into(),
            });
        }
        self.inner.put_opts(to, bytes, how).await
    }

    async fn put_multipart_opts(
        &self,
        to: &StorePath,
        how: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(to, how).await
    }

    async fn get_opts(&self, from: &StorePath, how: GetOptions) -> StoreResult<GetResult> {
        self.inner.get_opts(from, how).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, StoreResult<StorePath>>,
    ) -> BoxStream<'static, StoreResult<StorePath>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&StorePath>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&StorePath>) -> StoreResult<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &StorePath, to: &StorePath, how: CopyOptions) -> StoreResult<()> {
        self.inner.copy_opts(from, to, how).await
    }
}

#[tokio::test]
async fn a_full_disk_leaves_the_version_before() {
    let city = City::of(PLAIN);
    city.load("id,name,day\n1,a,\n").await;
    let text: String = (0..40).map(|row| format!("{row},b,\nx{row},c,\n")).collect();
    let path = city.file("large", "id,name,day\n".to_owned() + &text);
    let mut job = city.job();
    job.sizes.part_rows = 10;
    let root = StorePath::from_absolute_path(city.home().join("lake")).unwrap();
    let mut published = None;
    // a write more each time, until all of them find room
    for room in 0..40 {
        let store = Full {
            inner: LocalFileSystem::new(),
            left: AtomicUsize::new(room),
        };
        let lake = Lake::new(Arc::new(store), root.clone());
        match hub::ingest(&lake, &city.dataset, &path, &job).await {
            Ok(report) => {
                published = Some((room, report));
                break;
            }
            Err(error) => {
                assert!(error.to_string().contains("No space left on device"), "{error}");
                assert_eq!(city.rows().await, ["1 a -"], "after {room} writes");
            }
        }
    }
    let (room, report) = published.unwrap();
    // eight parts, the rejects, and the commit
    assert_eq!(room, 10);
    assert_eq!(report.outcome, Outcome::Published(2));
    assert_eq!(city.rows().await.len(), 40);
}
