//! Group commit: one writer carries out every write of the process.
//!
//! Writes queue up; the writer takes whatever is waiting, runs each in its own savepoint of one
//! transaction, commits once, and only then answers. A write that fails is rolled back to its
//! savepoint and answers its own error; the others are untouched. One `fsync` thus serves many
//! callers, and on both engines nothing ever waits for a row lock.

use std::any::type_name;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use civic::Clock;
use futures::FutureExt as _;
use jiff::Timestamp;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};
use tokio::sync::{Mutex, MutexGuard, mpsc, oneshot};

use crate::ledger::{Chain, Words};
use crate::outbox::Bell;
use crate::{StoreError, engine};

/// Writes that may wait before callers are turned away.
const QUEUE: usize = 4096;
/// Writes in one commit.
const BATCH: usize = 256;
/// No write joins a batch that is older, so that nobody waits long for the commit.
const BATCH_TIME: Duration = Duration::from_millis(25);
/// Longest time of one write.
const WRITE_TIME: Duration = Duration::from_secs(10);

/// What a write does, from the borrowed transaction to its result.
pub type Work<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

type Hook = Box<dyn FnOnce() + Send>;

/// The transaction of one batch, as a write sees it. Queries take it like any connection.
pub struct Tx {
    inner: DatabaseTransaction,
    /// The end of the ledger within this transaction.
    chain: Mutex<Chain>,
    hooks: std::sync::Mutex<Vec<Hook>>,
    bell: Bell,
    clock: Arc<dyn Clock>,
}

impl Tx {
    /// The time of the store's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Has the workers look at the outbox once this write is committed.
    pub(crate) fn ring(&self) {
        let bell = self.bell.clone();
        self.after_commit(move || bell.ring());
    }

    /// Has `hook` called once this write is committed; never when it is undone.
    pub fn after_commit(&self, hook: impl FnOnce() + Send + 'static) {
        self.hooks().push(Box::new(hook));
    }

    pub(crate) fn transaction(&self) -> &DatabaseTransaction {
        &self.inner
    }

    pub(crate) async fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().await
    }

    fn hooks(&self) -> std::sync::MutexGuard<'_, Vec<Hook>> {
        self.hooks.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, stmt: Statement) -> Result<ExecResult, DbErr> {
        self.inner.execute_raw(stmt).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.inner.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.inner.query_one_raw(stmt).await
    }

    async fn query_all_raw(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.inner.query_all_raw(stmt).await
    }
}

/// The way into the writer's queue.
#[derive(Clone)]
pub(crate) struct Queue {
    sender: mpsc::Sender<Message>,
}

enum Message {
    Job(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

impl Queue {
    /// Starts the writer on a thread of its own. Among the pages' tasks, each answer of the database would wait for its turn
    /// behind pages that are being made, and with it everybody whose write stands in the queue.
    ///
    /// # Errors
    /// [`StoreError::Files`] when the system gives no thread.
    pub(crate) fn start(writer: Writer) -> Result<Queue, StoreError> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let none = |error: std::io::Error| StoreError::Files(format!("no thread for the writer: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(none)?;
        std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || runtime.block_on(writer.run(receiver)))
            .map_err(none)?;
        Ok(Queue { sender })
    }

    pub(crate) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'a> FnOnce(&'a Tx) -> Work<'a, T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Write {
            work: Some(work),
            result: None,
            reply,
        };
        self.sender
            .try_send(Message::Job(Box::new(job)))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => StoreError::Overloaded(QUEUE),
                mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
            })?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Carries out what is queued, refuses what comes later, returns when the writer is done.
    pub(crate) async fn close(&self) {
        let (done, wait) = oneshot::channel();
        if self.sender.send(Message::Close(done)).await.is_ok() {
            // An error means that the writer has ended, which is what is waited for.
            wait.await.ok();
        }
    }
}

/// A queued write, whatever its result type is.
trait Job: Send {
    /// Carries it out; whether its savepoint is to be kept.
    fn run<'a>(&'a mut self, tx: &'a Tx) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>>;
    /// The savepoint could not be kept.
    fn undo(&mut self, error: StoreError);
    /// Answers the caller after the commit, or with the reason why there was none.
    fn finish(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Write<F, T, E> {
    work: Option<F>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for Write<F, T, E>
where
    F: for<'a> FnOnce(&'a Tx) -> Work<'a, T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run<'a>(&'a mut self, tx: &'a Tx) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(async move {
            let Some(work) = self.work.take() else { return false };
            let guarded = AssertUnwindSafe(async move { work(tx).await }).catch_unwind();
            let result = match tokio::time::timeout(WRITE_TIME, guarded).await {
                Ok(Ok(result)) => result,
                Ok(Err(_panic)) => {
                    tracing::error!(write = type_name::<F>(), "a write panicked");
                    Err(StoreError::Panicked.into())
                }
                Err(_elapsed) => Err(StoreError::TooSlow(WRITE_TIME.as_secs()).into()),
            };
            let keep = result.is_ok();
            self.result = Some(result);
            keep
        })
    }

    fn undo(&mut self, error: StoreError) {
        self.result = Some(Err(error.into()));
    }

    fn finish(self: Box<Self>, outcome: Result<(), StoreError>) {
        let answer = match (outcome, self.result) {
            // The write's own error says more than that of the batch.
            (_, Some(Err(error))) => Err(error),
            (Err(error), _) => Err(error.into()),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Ok(()), None) => Err(StoreError::Closed.into()),
        };
        // The caller may have gone; what was committed stays committed.
        self.reply.send(answer).ok();
    }
}

/// What the writer works with.
pub(crate) struct Writer {
    /// The one connection that writes.
    pub write: DatabaseConnection,
    /// Dictionary of the ledger.
    pub words: Words,
    /// Rung when the outbox got work.
    pub bell: Bell,
    /// The store's clock.
    pub clock: Arc<dyn Clock>,
}

impl Writer {
    async fn run(self, mut queue: mpsc::Receiver<Message>) {
        let mut closing: Vec<oneshot::Sender<()>> = Vec::new();
        while let Some(message) = queue.recv().await {
            match message {
                Message::Job(job) => self.batch(job, &mut queue, &mut closing).await,
                Message::Close(done) => closing.push(done),
            }
            if !closing.is_empty() {
                queue.close();
            }
        }
        if let Err(error) = self.write.close().await {
            tracing::warn!(%error, "closing the writer's connection failed");
        }
        for done in closing {
            done.send(()).ok();
        }
    }

    /// One transaction: `first`, and whatever waits in the queue.
    async fn batch(
        &self,
        first: Box<dyn Job>,
        queue: &mut mpsc::Receiver<Message>,
        closing: &mut Vec<oneshot::Sender<()>>,
    ) {
        let mut finished: Vec<Box<dyn Job>> = Vec::new();
        let outcome = match self.begin().await {
            Ok(inner) => {
                let tx = Tx {
                    inner,
                    chain: Mutex::new(Chain::new(self.words.clone())),
                    hooks: std::sync::Mutex::default(),
                    bell: self.bell.clone(),
                    clock: Arc::clone(&self.clock),
                };
                match fill(&tx, first, queue, closing, &mut finished).await {
                    Ok(()) => self.commit(tx).await,
                    // Dropping the transaction rolls it back.
                    Err(error) => Err(Failure::GivenUp(error)),
                }
            }
            Err(error) => {
                finished.push(first);
                // The database is away: those who wait needn't each wait for the same answer.
                while let Ok(message) = queue.try_recv() {
                    match message {
                        Message::Job(job) => finished.push(job),
                        Message::Close(done) => closing.push(done),
                    }
                }
                Err(Failure::Unreachable(error))
            }
        };
        if let Err(failure) = &outcome {
            tracing::error!(error = %failure.error(), writes = finished.len(), "a batch of writes failed");
        }
        for job in finished {
            job.finish(match &outcome {
                Ok(()) => Ok(()),
                Err(failure) => Err(failure.error()),
            });
        }
    }

    /// Begins; a connection that broke while idle is replaced once.
    async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        match engine::begin(&self.write).await {
            Err(error) if crate::error::connection_lost(&error) => engine::begin(&self.write).await,
            other => other,
        }
    }

    async fn commit(&self, tx: Tx) -> Result<(), Failure> {
        let Tx {
            inner, chain, hooks, ..
        } = tx;
        inner.commit().await.map_err(Failure::Unconfirmed)?;
        chain.into_inner().committed();
        for hook in hooks.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            hook();
        }
        Ok(())
    }
}

enum Failure {
    Unreachable(DbErr),
    GivenUp(DbErr),
    Unconfirmed(DbErr),
}

impl Failure {
    fn error(&self) -> StoreError {
        match self {
            Failure::Unreachable(error) => StoreError::Unreachable(error.to_string()),
            Failure::GivenUp(error) => StoreError::GivenUp(error.to_string()),
            Failure::Unconfirmed(error) => StoreError::Unconfirmed(error.to_string()),
        }
    }
}

/// Runs writes in `tx` until none waits or the batch is full. An error means that the transaction
/// is beyond repair; `finished` holds every job either way.
async fn fill(
    tx: &Tx,
    first: Box<dyn Job>,
    queue: &mut mpsc::Receiver<Message>,
    closing: &mut Vec<oneshot::Sender<()>>,
    finished: &mut Vec<Box<dyn Job>>,
) -> Result<(), DbErr> {
    let began = Instant::now();
    if let Err(error) = tx.inner.execute_unprepared("SAVEPOINT work").await {
        finished.push(first);
        return Err(error);
    }
    let mut next = Some(first);
    while let Some(mut job) = next.take() {
        let step = one(tx, job.as_mut()).await;
        finished.push(job);
        step?;
        if finished.len() < BATCH && began.elapsed() < BATCH_TIME {
            next = match queue.try_recv() {
                Ok(Message::Job(job)) => Some(job),
                Ok(Message::Close(done)) => {
                    closing.push(done);
                    None
                }
                Err(_) => None,
            };
        }
    }
    Ok(())
}

/// One write in the open savepoint, which is open again afterwards.
async fn one(tx: &Tx, job: &mut dyn Job) -> Result<(), DbErr> {
    let mark = tx.chain.lock().await.mark();
    let hooks = tx.hooks().len();
    if job.run(tx).await {
        // Both at once: one round trip for each write.
        match tx
            .inner
            .execute_unprepared("RELEASE SAVEPOINT work; SAVEPOINT work")
            .await
        {
            Ok(_) => return Ok(()),
            // A write that overlooks a refused statement on PostgreSQL ends here.
            Err(error) => job.undo(error.into()),
        }
    }
    tx.inner.execute_unprepared("ROLLBACK TO SAVEPOINT work").await?;
    tx.chain.lock().await.reset(mark);
    tx.hooks().truncate(hooks);
    Ok(())
}
