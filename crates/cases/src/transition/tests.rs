use super::*;

const STATES: [State; 9] = [
    State::Draft,
    State::Submitted,
    State::Review,
    State::Correction,
    State::Approved,
    State::Refused,
    State::Withdrawn,
    State::Completed,
    State::Disposed,
];

/// The table of the module, written a second time by state, so that a slip in one of them shows.
fn expected(state: State) -> &'static [Act] {
    match state {
        State::Draft => &[Act::Submit, Act::Dispose],
        State::Submitted => &[Act::Take, Act::Assign, Act::Withdraw, Act::LeaveOut, Act::Grant],
        State::Review => &[
            Act::Assign,
            Act::GiveBack,
            Act::Approve,
            Act::Refuse,
            Act::RequestCorrection,
            Act::Withdraw,
            Act::LeaveOut,
        ],
        State::Correction => &[Act::Correct, Act::Lapse, Act::Withdraw],
        State::Approved | State::Refused => &[Act::Undo, Act::Complete],
        State::Withdrawn => &[Act::Dispose],
        State::Completed => &[Act::Reopen, Act::Dispose],
        State::Disposed => &[],
    }
}

#[test]
fn every_state_allows_what_the_table_says_and_nothing_else() {
    for state in STATES {
        assert_eq!(allowed(state), expected(state), "{state:?}");
    }
}

#[test]
fn the_only_ways_back_are_a_correction_and_a_decision_set_aside() {
    for act in Act::ALL {
        assert_ne!(next(State::Submitted, act), Ok(State::Draft));
        let back = next(State::Completed, act) == Ok(State::Review);
        assert_eq!(back, act == Act::Reopen, "{act:?}");
    }
}

#[test]
fn a_refused_act_says_why() {
    let told = next(State::Draft, Act::Approve).map_err(|e| e.to_string());
    assert_eq!(
        told,
        Err("can't approve an application that is draft: it has not been submitted yet".to_owned())
    );
}
