//! Applications at each point of their way.

use cases::{Person, Role, Staff, collect, review};
use civic::ids::ApplicationId;
use civic::{Channel, Language};
use store::StoreError;
use store::sea_orm::ConnectionTrait as _;

use crate::kit::{Kit, SERVICE};

/// What an officer asks for in the correction of the tests.
pub const ASKED: &str = "請附存摺封面。";

impl Kit {
    /// The officer of the tests, who takes and decides.
    pub async fn officer(&self) -> Staff {
        self.staff("officer", Role::Officer).await
    }

    /// An application opened, its notice not agreed to yet.
    pub async fn begun(&self, person: &Person) -> ApplicationId {
        collect::open(&self.desk, person, SERVICE, Channel::Online, Language::ZhTw)
            .await
            .unwrap()
    }

    /// An application that an officer has in hand.
    pub async fn taken(&self, person: &Person, officer: &Staff) -> ApplicationId {
        let id = self.submitted(person).await;
        review::take(&self.desk, officer, id, self.revision(id).await)
            .await
            .unwrap();
        id
    }

    /// An application sent back for correction.
    pub async fn asked_to_correct(&self, person: &Person, officer: &Staff) -> ApplicationId {
        let id = self.taken(person, officer).await;
        let due = self.desk.today().saturating_add(jiff::Span::new().days(14));
        review::request_correction(&self.desk, officer, id, self.revision(id).await, ASKED, due)
            .await
            .unwrap();
        id
    }

    /// An application approved, with its letter.
    pub async fn completed(&self, person: &Person, officer: &Staff) -> ApplicationId {
        let id = self.submitted(person).await;
        self.approved(officer, id).await;
        id
    }

    /// An application refused, with its letter.
    pub async fn refused(&self, person: &Person, officer: &Staff) -> ApplicationId {
        let id = self.taken(person, officer).await;
        review::refuse(&self.desk, officer, id, self.revision(id).await, "申請人來電放棄。")
            .await
            .unwrap();
        self.wait(1);
        self.work().await;
        id
    }

    /// An application taken back.
    pub async fn withdrawn(&self, person: &Person) -> ApplicationId {
        let id = self.submitted(person).await;
        collect::withdraw(&self.desk, person, id, self.revision(id).await)
            .await
            .unwrap();
        id
    }

    /// An approved application whose account the bank refused.
    pub async fn account_refused(&self, person: &Person, officer: &Staff) -> ApplicationId {
        let id = self.completed(person, officer).await;
        self.sql("UPDATE entitlement SET account_refused = true").await;
        id
    }

    /// Changes the database behind the program's back.
    pub async fn sql(&self, statement: &'static str) {
        let done = self.desk.store.write(move |tx| {
            Box::pin(async move {
                tx.execute_unprepared(statement)
                    .await
                    .map(drop)
                    .map_err(StoreError::from)
            })
        });
        done.await.unwrap();
    }
}
