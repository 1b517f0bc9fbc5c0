//! One table in every kind of file gives the same rows.

use hub::{HubError, Outcome};

use crate::kit::{City, PLAIN};

const ROWS: [&str; 2] = ["1 臺中 2026-01-02", "2 - -"];

fn kind(source: &str) -> String {
    PLAIN.replace("kind = \"csv\"\nencoding = \"utf-8\"", source)
}

async fn gives(source: &str, bytes: impl AsRef<[u8]>) {
    let city = City::of(&kind(source));
    let report = city.load(bytes).await;
    assert!(matches!(report.outcome, Outcome::Published(1)), "{report:?}");
    assert_eq!(report.rejected, 0, "{report:?}");
    assert_eq!(city.rows().await, ROWS, "{source}");
}

#[tokio::test]
async fn every_kind_of_file_gives_the_same_rows() {
    gives(
        "kind = \"csv\"\nencoding = \"utf-8\"",
        "id,name,day\n1,臺中,2026-01-02\n2,,\n",
    )
    .await;
    gives(
        "kind = \"csv\"\nencoding = \"utf-8\"\ndelimiter = \";\"",
        "id;\"name\";day\r\n1;\"臺中\";2026-01-02\r\n2;;",
    )
    .await;
    gives(
        "kind = \"json\"",
        r#"[{"id":1,"name":"臺中","day":"2026-01-02"},{"id":"2","name":null}]"#,
    )
    .await;
    gives(
        "kind = \"json\"\nrows = \"result.records\"",
        r#"{"skip":[{"id":9}],"result":{"n":2,"records":[{"id":1,"name":"\u81fa中","day":"2026-01-02"},{"id":2}]},"end":1}"#,
    )
    .await;
    gives(
        "kind = \"json_lines\"",
        "{\"id\":1,\"name\":\"臺中\",\"day\":\"2026-01-02\"}\n\n{\"id\":2}\n",
    )
    .await;
    gives(
        "kind = \"xml\"\nrows = \"list/row\"",
        "<?xml version=\"1.0\"?><list><!-- x --><row><id>1</id><name><![CDATA[臺]]>&#20013;</name><day>2026-01-02</day></row>\
         <row><id> 2 </id><name/></row></list>",
    )
    .await;
    gives(
        "kind = \"fixed\"\nencoding = \"utf-8\"\nfields = [{ name = \"id\", width = 2 }, { name = \"name\", width = 6 }, { name = \"day\", width = 10 }]",
        "1 臺中2026-01-02\r\n 2                \r\n\r\n",
    )
    .await;
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in ["id", "name", "day"].into_iter().enumerate() {
        sheet.write(0, u16::try_from(column).unwrap(), name).unwrap();
    }
    sheet.write(1, 0, 1).unwrap();
    sheet.write(1, 1, "臺中").unwrap();
    let day = rust_xlsxwriter::ExcelDateTime::from_ymd(2026, 1, 2).unwrap();
    let style = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
    sheet.write_with_format(1, 2, &day, &style).unwrap();
    sheet.write(2, 0, 2).unwrap();
    gives("kind = \"xlsx\"", book.save_to_buffer().unwrap()).await;
    let content = "<?xml version=\"1.0\"?><office:document-content \
        xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
        xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" \
        xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"><office:body><office:spreadsheet>\
        <table:table table:name=\"A\">ROWS</table:table></office:spreadsheet></office:body></office:document-content>";
    let cell = |text: &str| {
        format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
    };
    let row = |cells: [&str; 3]| {
        let cells: String = cells
            .iter()
            .map(|text| match *text {
                "" => "<table:table-cell/>".to_owned(),
                text => cell(text),
            })
            .collect();
        format!("<table:table-row>{cells}</table:table-row>")
    };
    let rows = [["id", "name", "day"], ["1", "臺中", "2026-01-02"], ["2", "", ""]]
        .map(row)
        .concat();
    let mut ods = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let plain = zip::write::SimpleFileOptions::default();
    for (name, text) in [
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet".to_owned()),
        ("content.xml", content.replace("ROWS", &rows)),
        ("META-INF/manifest.xml", "<manifest/>".to_owned()),
    ] {
        use std::io::Write as _;
        ods.start_file(name, plain).unwrap();
        ods.write_all(text.as_bytes()).unwrap();
    }
    gives("kind = \"ods\"", ods.finish().unwrap().into_inner()).await;
}

#[tokio::test]
async fn columns_without_a_heading_are_counted() {
    let text = PLAIN
        .replace("encoding = \"utf-8\"", "encoding = \"utf-8\"\nheader = false")
        .replace("from = \"id\"", "from = \"1\"")
        .replace("from = \"name\"", "from = \"2\"")
        .replace("from = \"day\"", "from = \"4\"");
    let city = City::of(&text);
    let report = city.load("1,臺中,x,2026-01-02\n2,,,\n").await;
    assert_eq!(report.rejected, 0);
    assert_eq!(city.rows().await, ROWS);
}

#[tokio::test]
async fn files_that_are_no_such_thing_are_told() {
    for (source, bytes, said) in [
        ("kind = \"json\"", "{\"id\":1}", "it is no JSON there"),
        (
            "kind = \"json\"\nrows = \"a\"",
            "{\"b\":[]}",
            "there is no list of rows at `a`",
        ),
        ("kind = \"json\"", "[{\"id\":1}", "it is no JSON there"),
        (
            "kind = \"xml\"\nrows = \"a/b\"",
            "<a><b><id>1</id>",
            "the file ends too early",
        ),
        (
            "kind = \"xml\"\nrows = \"a/b\"",
            "<a><c/></a>",
            "there is no row at `a/b`",
        ),
        (
            "kind = \"xml\"\nrows = \"a/b\"",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a><b><id>&x;</id></b></a>",
            "document type",
        ),
        (
            "kind = \"xml\"\nrows = \"a/b\"",
            "<a><b><id>&x;</id></b></a>",
            "an entity",
        ),
        ("kind = \"csv\"\nencoding = \"utf-8\"", "", "the file is empty"),
    ] {
        let city = City::of(&kind(source));
        let error = city.try_load(&city.file("source", bytes)).await.unwrap_err();
        assert!(matches!(error, HubError::Source { .. }), "{error}");
        assert!(error.to_string().contains(said), "{source}: {error}");
    }
    let city = City::of(&kind("kind = \"json_lines\""));
    let report = city
        .load("{\"id\":1,\"name\":[1],\"day\":null}\nnot json\n{\"id\":2,\"name\":\"b\",\"day\":null}\n{\"id\":3,\"new\":{\"x\":1}}\n")
        .await;
    let Outcome::Held(why) = report.outcome else {
        panic!("{report:?}")
    };
    assert!(why[0].why.contains("a column `new.x` that the folder"), "{why:?}");
}
