//! The log of a Delta table: what a commit says, what a version is, and its checkpoints. By the Delta Transaction Log
//! Protocol (`PROTOCOL.md` of delta-io/delta). Nothing here reads or writes a store.
//!
//! Our tables ask little of a reader (version 1: no deletion vectors, no mapped columns) and one thing of a writer: the
//! time of a commit stands in the commit itself, so that it survives a copy of the files. A table that asks for more is
//! refused, since passing over what it asks for would give other rows.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use arrow::json::{LineDelimitedWriter, ReaderBuilder};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};

/// Folder of the log within a table's folder.
pub(crate) const FOLDER: &str = "_delta_log";
/// Name of the file that tells other readers of the newest checkpoint (Last Checkpoint File).
pub(crate) const LAST_CHECKPOINT: &str = "_delta_log/_last_checkpoint";
/// Rows of a checkpoint that are made at once.
const ROWS: usize = 8192;

/// A line of a commit, or a row of a checkpoint: one of its members is there. Kinds of actions that readers of version 1
/// need not know are passed over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Action {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_info: Option<CommitInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta_data: Option<MetaData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub txn: Option<Txn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove: Option<Remove>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add: Option<Add>,
}

/// Who committed what (Commit Provenance Information); the first line of a commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommitInfo {
    /// Milliseconds since 1970, later than those of the version before.
    pub in_commit_timestamp: Option<i64>,
    /// The same, for readers that know no other.
    pub timestamp: Option<i64>,
    pub operation: Option<String>,
    #[serde(default)]
    pub operation_parameters: BTreeMap<String, serde_json::Value>,
    pub engine_info: Option<String>,
}

/// What a reader and a writer must know (Protocol Evolution).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Protocol {
    pub min_reader_version: i32,
    pub min_writer_version: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reader_features: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writer_features: Option<Vec<String>>,
}

impl Protocol {
    /// That of every table this crate writes.
    pub fn ours() -> Protocol {
        Protocol {
            min_reader_version: 1,
            min_writer_version: 7,
            reader_features: None,
            writer_features: Some(vec!["inCommitTimestamp".to_owned()]),
        }
    }
}

/// What the table is (Change Metadata).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MetaData {
    pub id: String,
    pub name: Option<String>,
    pub format: Format,
    pub schema_string: String,
    pub partition_columns: Vec<String>,
    /// Milliseconds since 1970.
    pub created_time: Option<i64>,
    pub configuration: BTreeMap<String, String>,
}

/// What the files are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Format {
    pub provider: String,
    pub options: BTreeMap<String, String>,
}

/// The number an application noted (Transaction Identifiers).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Txn {
    pub app_id: String,
    pub version: i64,
    pub last_updated: Option<i64>,
}

/// A file comes (Add File). Paths are relative to the table's folder and of letters that an address need not escape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Add {
    pub path: String,
    pub partition_values: BTreeMap<String, Option<String>>,
    /// In bytes.
    pub size: i64,
    pub modification_time: i64,
    pub data_change: bool,
    pub stats: Option<String>,
}

/// A file goes (Remove File); it stays in the store while a version of the time of history names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Remove {
    pub path: String,
    /// Milliseconds since 1970, those of the commit.
    pub deletion_timestamp: Option<i64>,
    pub data_change: bool,
    #[serde(default)]
    pub extended_file_metadata: bool,
    #[serde(default)]
    pub partition_values: BTreeMap<String, Option<String>>,
    pub size: Option<i64>,
}

/// A version: what all actions up to it come to (Action Reconciliation).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct State {
    pub protocol: Option<Protocol>,
    pub metadata: Option<MetaData>,
    pub transactions: BTreeMap<String, Txn>,
    pub files: BTreeMap<String, Add>,
    pub removed: BTreeMap<String, Remove>,
    /// Milliseconds since 1970 of the last commit.
    pub time: i64,
}

impl State {
    pub fn apply(&mut self, action: Action) {
        if let Some(info) = action.commit_info {
            self.time = info.in_commit_timestamp.unwrap_or(self.time);
        }
        if let Some(protocol) = action.protocol {
            self.protocol = Some(protocol);
        }
        if let Some(metadata) = action.meta_data {
            self.metadata = Some(metadata);
        }
        if let Some(txn) = action.txn {
            self.transactions.insert(txn.app_id.clone(), txn);
        }
        if let Some(remove) = action.remove {
            self.files.remove(&remove.path);
            self.removed.insert(remove.path.clone(), remove);
        }
        if let Some(add) = action.add {
            self.removed.remove(&add.path);
            self.files.insert(add.path.clone(), add);
        }
    }
}

/// The lines of a commit.
pub(crate) fn write_commit(actions: &[Action]) -> Result<Vec<u8>, serde_json::Error> {
    let mut text = Vec::new();
    for action in actions {
        serde_json::to_writer(&mut text, action)?;
        text.push(b'\n');
    }
    Ok(text)
}

/// The actions of a commit, or of a checkpoint's rows as lines.
pub(crate) fn read_commit(text: &[u8]) -> Result<Vec<Action>, serde_json::Error> {
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .map(serde_json::from_slice)
        .collect()
}

/// The checkpoint of a version and the number of its rows. Files that were removed at `since` (milliseconds since 1970)
/// or before are left out: no version that is kept names them.
pub(crate) fn write_checkpoint(state: &State, since: i64) -> Result<(Vec<u8>, usize), ParquetError> {
    let mut rows = vec![
        Action {
            protocol: state.protocol.clone(),
            ..Action::default()
        },
        Action {
            meta_data: state.metadata.clone(),
            ..Action::default()
        },
    ];
    rows.extend(state.transactions.values().map(|txn| Action {
        txn: Some(txn.clone()),
        ..Action::default()
    }));
    rows.extend(state.files.values().map(|add| Action {
        add: Some(Add {
            data_change: false,
            ..add.clone()
        }),
        ..Action::default()
    }));
    let recent = state
        .removed
        .values()
        .filter(|remove| remove.deletion_timestamp > Some(since));
    rows.extend(recent.map(|remove| Action {
        remove: Some(Remove {
            data_change: false,
            ..remove.clone()
        }),
        ..Action::default()
    }));
    let schema = Arc::new(checkpoint_schema());
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut out = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties))?;
    for rows in rows.chunks(ROWS) {
        let mut decoder = ReaderBuilder::new(Arc::clone(&schema))
            .with_batch_size(ROWS)
            .build_decoder()?;
        decoder.serialize(rows)?;
        if let Some(batch) = decoder.flush()? {
            out.write(&batch)?;
        }
    }
    Ok((out.into_inner()?, rows.len()))
}

/// The actions of a checkpoint.
pub(crate) fn read_checkpoint(bytes: Bytes) -> Result<Vec<Action>, ParquetError> {
    let mut actions = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(bytes)?.build()? {
        let mut lines = LineDelimitedWriter::new(Vec::new());
        lines.write(&batch?)?;
        lines.finish()?;
        let lines = read_commit(&lines.into_inner()).map_err(|error| ParquetError::External(Box::new(error)))?;
        actions.extend(lines);
    }
    Ok(actions)
}

/// Columns of a checkpoint (Checkpoint Schema), those of [`Action`] without the provenance.
fn checkpoint_schema() -> Schema {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let long = |name: &str| Field::new(name, DataType::Int64, true);
    let int = |name: &str| Field::new(name, DataType::Int32, true);
    let flag = |name: &str| Field::new(name, DataType::Boolean, true);
    let texts = |name: &str| Field::new_list(name, Field::new("element", DataType::Utf8, true), true);
    let map = |name: &str| {
        let (key, value) = (Field::new("key", DataType::Utf8, false), text("value"));
        Field::new_map(name, "key_value", key, value, false, true)
    };
    let group = |name: &str, fields: Vec<Field>| Field::new(name, DataType::Struct(Fields::from(fields)), true);
    Schema::new(vec![
        group(
            "protocol",
            vec![
                int("minReaderVersion"),
                int("minWriterVersion"),
                texts("readerFeatures"),
                texts("writerFeatures"),
            ],
        ),
        group(
            "metaData",
            vec![
                text("id"),
                text("name"),
                text("description"),
                group("format", vec![text("provider"), map("options")]),
                text("schemaString"),
                texts("partitionColumns"),
                long("createdTime"),
                map("configuration"),
            ],
        ),
        group("txn", vec![text("appId"), long("version"), long("lastUpdated")]),
        group(
            "add",
            vec![
                text("path"),
                map("partitionValues"),
                long("size"),
                long("modificationTime"),
                flag("dataChange"),
                text("stats"),
            ],
        ),
        group(
            "remove",
            vec![
                text("path"),
                long("deletionTimestamp"),
                flag("dataChange"),
                flag("extendedFileMetadata"),
                map("partitionValues"),
                long("size"),
            ],
        ),
    ])
}

/// The versions that a log holds entries of.
#[derive(Clone, Debug)]
pub(crate) struct Entries {
    checkpoints: BTreeSet<u64>,
    /// From the oldest version that can be read to the latest.
    pub readable: RangeInclusive<u64>,
}

impl Entries {
    /// Those that the names in the log's folder speak of; nothing where no version can be read.
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> Option<Entries> {
        let (mut commits, mut checkpoints) = (BTreeSet::new(), BTreeSet::new());
        for name in names {
            match version_of(name) {
                Some((version, ".json")) => commits.insert(version),
                Some((version, ".checkpoint.parquet")) => checkpoints.insert(version),
                _ => continue,
            };
        }
        let latest = *commits.last()?;
        // without a gap down to here
        let first = commits.iter().rev().zip((0..=latest).rev());
        let first = first.take_while(|(there, wanted)| *there == wanted).last()?.1;
        let oldest = if first == 0 {
            0
        } else {
            *checkpoints.range(first..=latest).next()?
        };
        Some(Entries {
            checkpoints,
            readable: oldest..=latest,
        })
    }

    pub fn has_checkpoint(&self, version: u64) -> bool {
        self.checkpoints.contains(&version)
    }

    /// The checkpoint that a readable version is read from, if there is one, and the commits after it. The commit of the
    /// checkpoint itself is among them: it changes nothing more, and says the time.
    pub fn way_to(&self, version: u64) -> (Option<u64>, RangeInclusive<u64>) {
        let from = self.checkpoints.range(..=version).next_back().copied();
        let from = from.filter(|from| self.readable.contains(from));
        (from, from.unwrap_or(0)..=version)
    }
}

/// The version that the name of an entry begins with, and the rest of the name.
pub(crate) fn version_of(name: &str) -> Option<(u64, &str)> {
    let (number, rest) = name.split_at_checked(20)?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    // versions are signed numbers of 64 bits to other readers
    let version: Option<u64> = number.parse().ok().filter(|version| i64::try_from(*version).is_ok());
    Some((version.filter(|_| digits)?, rest))
}

/// Name of a commit within the table's folder (Delta Log Entries).
pub(crate) fn commit_name(version: u64) -> String {
    format!("{FOLDER}/{version:020}.json")
}

/// Name of a checkpoint in one file within the table's folder.
pub(crate) fn checkpoint_name(version: u64) -> String {
    format!("{FOLDER}/{version:020}.checkpoint.parquet")
}

/// A schema as the log has it (Schema Serialization Format).
#[derive(Serialize, Deserialize)]
struct Struct {
    r#type: String,
    fields: Vec<Column>,
}

#[derive(Serialize, Deserialize)]
struct Column {
    name: String,
    r#type: String,
    nullable: bool,
    metadata: serde_json::Map<String, serde_json::Value>,
}

/// The text of a schema in the log; else the first column that has a type no dataset can have.
pub(crate) fn write_schema(schema: &Schema) -> Result<String, String> {
    let fields = schema.fields().iter().map(|field| {
        let kind = match field.data_type() {
            DataType::Int64 => "long".to_owned(),
            DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
            DataType::Boolean => "boolean".to_owned(),
            DataType::Date32 => "date".to_owned(),
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "timestamp".to_owned(),
            DataType::Utf8 => "string".to_owned(),
            other => return Err(format!("the column `{}` can't be of the type `{other}`", field.name())),
        };
        Ok(Column {
            name: field.name().clone(),
            r#type: kind,
            nullable: field.is_nullable(),
            metadata: serde_json::Map::new(),
        })
    });
    let whole = Struct {
        r#type: "struct".to_owned(),
        fields: fields.collect::<Result<_, _>>()?,
    };
    serde_json::to_string(&whole).map_err(|error| error.to_string())
}

/// The schema of a text in the log.
pub(crate) fn read_schema(text: &str) -> Result<Schema, String> {
    let whole: Struct = serde_json::from_str(text).map_err(|error| format!("its schema can't be read: {error}"))?;
    let fields = whole.fields.into_iter().map(|column| {
        let kind = match column.r#type.as_str() {
            "long" => DataType::Int64,
            "boolean" => DataType::Boolean,
            "date" => DataType::Date32,
            "timestamp" => crate::dataset::instant(),
            "string" => DataType::Utf8,
            other => decimal(other).ok_or_else(|| format!("its column `{}` has the type `{other}`", column.name))?,
        };
        Ok(Field::new(column.name, kind, column.nullable))
    });
    Ok(Schema::new(fields.collect::<Result<Vec<_>, String>>()?))
}

fn decimal(text: &str) -> Option<DataType> {
    let (precision, scale) = text.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
    Some(DataType::Decimal128(
        precision.trim().parse().ok()?,
        scale.trim().parse().ok()?,
    ))
}
