//! Signing in to the office: password and one-time code, each code once, and a wait after wrong attempts.

use cases::CaseError;
use cases::staff::{self, NewStaff, Role, SignInError};
use store::tables::security_event;
use zeroize::Zeroizing;

use crate::support::{Kit, each_engine};

const PASSWORD: &str = "a long enough password";

fn secret(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

/// The code of now for the secret of the kit's accounts.
fn code(kit: &Kit) -> String {
    let totp = totp_rs::Builder::new().with_secret(vec![7; 20]).build().unwrap();
    totp.generate(u64::try_from(kit.desk.now().as_second()).unwrap())
        .to_string()
}

async fn sign_in(kit: &Kit, password: &str, code: &str) -> Result<staff::Staff, SignInError> {
    staff::sign_in(&kit.desk, "Officer", secret(password), code, "127.0.0.1").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_signs_in_once() {
    each_engine(|kit| async move {
        kit.staff("officer", Role::Officer).await;
        let now = code(&kit);
        assert_eq!(sign_in(&kit, PASSWORD, &now).await.unwrap().role, Role::Officer);
        assert!(
            matches!(sign_in(&kit, PASSWORD, &now).await, Err(SignInError::Wrong)),
            "the same code again"
        );
        kit.clock.advance(jiff::SignedDuration::from_secs(30));
        assert!(sign_in(&kit, PASSWORD, &code(&kit)).await.is_ok());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_attempts_look_alike_are_recorded_and_lock_the_account() {
    each_engine(|kit| async move {
        kit.staff("officer", Role::Officer).await;
        let now = code(&kit);
        assert!(matches!(
            sign_in(&kit, "another password", &now).await,
            Err(SignInError::Wrong)
        ));
        assert!(matches!(
            sign_in(&kit, PASSWORD, "000000").await,
            Err(SignInError::Wrong)
        ));
        let nobody = staff::sign_in(&kit.desk, "nobody", secret(PASSWORD), &now, "127.0.0.1").await;
        assert!(matches!(nobody, Err(SignInError::Wrong)));
        for _ in 0..4 {
            assert!(sign_in(&kit, "another password", &now).await.is_err());
        }
        assert!(
            matches!(sign_in(&kit, PASSWORD, &now).await, Err(SignInError::Locked(_))),
            "the right ones don't help now"
        );
        kit.wait(1);
        assert!(sign_in(&kit, PASSWORD, &code(&kit)).await.is_ok());
        let rows = security_event::newest(kit.desk.store.read(), None, 100).await.unwrap();
        assert!(rows.len() >= 6 && rows.iter().all(|row| row.kind == "staff.sign_in_refused"));
        assert!(rows.iter().all(|row| !row.detail.contains("officer")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_cannot_be_used_are_refused() {
    let kit = crate::support::sqlite().await;
    let new = |account: &str, password: &str, bytes: usize| NewStaff {
        account: account.to_owned(),
        name: "王".to_owned(),
        role: Role::Officer,
        agency: "社會局".to_owned(),
        password: secret(password),
        totp_secret: Zeroizing::new(vec![1; bytes]),
    };
    for (field, bad) in [
        ("account", new("", PASSWORD, 20)),
        ("account", new("王小明", PASSWORD, 20)),
        ("account", new(&"a".repeat(41), PASSWORD, 20)),
        ("password", new("anna", "too short", 20)),
        ("totp_secret", new("anna", PASSWORD, 15)),
    ] {
        assert!(
            matches!(staff::add(&kit.desk, bad).await, Err(CaseError::Input { field: found, .. }) if found == field)
        );
    }
    staff::add(&kit.desk, new("Anna", PASSWORD, 20)).await.unwrap();
    assert!(
        matches!(staff::add(&kit.desk, new("anna", PASSWORD, 20)).await, Err(CaseError::Store(error)) if error.is_duplicate())
    );
}
