# Confirmation by outside bodies such as schools, appeals, assigning, reminders

office-nav-confirm = To be confirmed
office-nav-appeals = Appeals
office-role-confirmer = Confirming body
office-confirm-intro = Applicants have given the data below. Confirm or correct it by your own records. You see only what is to be confirmed.
office-confirm-no-service = No service waits for you. The account may name a wrong body; ask the administrator.
office-confirm-none = No application waits for you now.
office-confirm-asked = Asked on
office-confirm-due = Confirm by
office-confirm-bulk = Many? Confirm them at once with a spreadsheet
office-confirm-download = Download the spreadsheet (.xlsx)
office-confirm-fill = Compare it with your records and type the right values into the cells; don’t change headings, numbers or names
office-confirm-upload = Save it, upload it below, look at what would change, then confirm
office-confirm-file = The filled-in spreadsheet
office-confirm-file-hint = .xlsx or .ods, up to 4 MB and 1,000 rows. No formulas, merged cells, macros or password.
office-confirm-file-missing = Choose the spreadsheet to upload.
office-confirm-look = Upload and look
office-confirm-student = About
office-confirm-identity = National ID
office-confirm-one-text = This is what the applicant answered. Leave what is right, correct what is not, then confirm.
office-confirm-do = Confirm
office-confirm-preview = What the upload would do
office-confirm-nothing-yet = Nothing has been changed yet. Look at it, then confirm.
office-confirm-again = { $n ->
    [one] 1 row was confirmed before with the same values. It changes nothing.
   *[other] { $n } rows were confirmed before with the same values. They change nothing.
}
office-confirm-left-out = These rows have mistakes and are left out
office-confirm-wrong = { $n ->
    [one] 1 row with mistakes
   *[other] { $n } rows with mistakes
}
office-confirm-row = Row
office-confirm-column = Column
office-confirm-problem = What to do
office-confirm-question = Item
office-confirm-before = Applicant
office-confirm-after = You
office-confirm-changes = What would be corrected
office-confirm-count = { $n ->
    [one] 1 application can be confirmed
   *[other] { $n } applications can be confirmed
}
office-confirm-same = The same as the applicant answered:
office-confirm-apply = { $n ->
    [one] Confirm this application
   *[other] Confirm these { $n } applications
}
office-confirm-cancel = Don’t confirm, back to the list
office-confirm-nothing = No row can be confirmed. Correct the spreadsheet and upload it again.
office-confirm-back = Back to the list
office-confirm-applied = { $n ->
    [one] 1 application confirmed.
   *[other] { $n } applications confirmed.
}
office-done-confirmed = Confirmed.
office-confirm-waiting = Waiting for { $body } to confirm, by { $due }. It can’t be decided before.
office-confirm-waiting-lapses = Waiting for { $body } to confirm, by { $due }. It can’t be decided before; without an answer you go on with what there is.
office-confirm-confirmed = { $body } has confirmed the data.
office-confirm-lapsed = { $body } did not confirm by { $due }. Go on with what there is.
office-confirm-was = { $now } (applicant: { $before })
office-error-unconfirmed = An outside body has not confirmed it yet, so it can’t be decided now.
office-event-confirmed = Confirmed by the outside body as answered
office-event-confirmed-with-changes = Confirmed and corrected by the outside body
office-event-confirmation-lapsed = Time to confirm over; going on with what there is
office-event-appeal-lodged = Appeal lodged
office-event-appeal-withdrawn = Appeal withdrawn
office-event-appeal-set-aside = Decision set aside, to be decided anew
office-event-appeal-forwarded = Appeal answered and forwarded
office-assign = Give it to a colleague
office-assign-to = Give it to
office-assign-do = Give it
office-done-assigned = Given to your colleague.
office-appeals-intro = The deciding office examines its own decision again: where the appeal is justified it sets it aside and decides anew; where it keeps the decision it answers and forwards the file.
office-appeals-none = No appeal waits.
office-appeal-title = Administrative appeal
office-appeal-one = Appeal
office-appeal-law = Law: { $law }
office-appeal-way = Lodged
office-appeal-paper = on paper
office-appeal-online = online
office-appeal-delivered = Decision delivered on
office-appeal-delivered-hint = See the certificate of delivery, for example 115-11-20. Leave it empty if not known; the day the letter left counts.
office-appeal-day-hint = For example 115-11-20.
office-appeal-received = Appeal received on
office-appeal-lodged = Lodged on
office-appeal-due = Answer by
office-appeal-period = Period
office-appeal-late = Lodged after the period
office-appeal-says = Grounds of the appeal
office-appeal-answered = What the office says
office-appeal-set-aside = Justified: set the decision aside
office-appeal-set-aside-note = The case is open again and yours to decide. The earlier letter and decision are kept.
office-appeal-reason = Why it is set aside
office-appeal-set-aside-do = Set aside and examine again
office-appeal-forward = Keep the decision: answer and forward
office-appeal-forward-note = The person gets a copy of the answer. Send the documents listed below to the appeal body.
office-appeal-answer = Answer
office-appeal-forward-do = Answer and forward
office-appeal-record = Note an appeal on paper
office-appeal-until = Counted from the day the letter left, the period ends on { $until }. The day of delivery decides.
office-appeal-record-do = Note it
office-appeal-day-wrong = That day can’t be right. Write it in ROC years, for example 115-11-20; not before the decision, not after today.
office-appeal-empty = Write something here.
office-appeal-documents-title = List of the file
office-appeal-documents = List of the file
office-appeal-document-number = No.
office-appeal-document = Document
office-appeal-document-at = Date
office-appeal-evidence = Data from outside
office-done-appeal-recorded = The appeal is noted, and the person told.
office-done-appeal-set-aside = The decision is set aside. Examine the case again and decide.
office-done-appeal-forwarded = Answered, and the person told. Send the file.

office-seats-title = Sealed rounds whose seats the folder changes
office-seats-text = The lists of these rounds are sealed. Their seats stand as sealed; what seats.csv says now does not count for them, and no place that was given is taken away. Change the next round instead.
office-seats-round = Round
office-seats-place = Place and class
office-seats-sealed = Sealed
office-seats-folder = seats.csv
office-seats-given = Given
office-seats-below = (fewer than given)
office-round-seats-reduced = seats.csv lowers the seats of a sealed round below the places given: { $places }. The change does not count: once a list is sealed its seats stand, and no place that was given is taken away. Lower the next round instead.
office-round-seats-missing = It can’t be sealed: applications chose a place or class for which seats.csv has no row. Seats of a place that was chosen can’t be removed; put the row back.

source-body = confirmed by { $name }
case-confirm-waiting = { $body } is asked to confirm what you answered, by { $due }. You need not do anything.
case-confirm-confirmed = { $body } has confirmed what you answered.
case-confirm-lapsed = { $body } did not confirm by { $due }. The officer goes on with what you answered.
event-confirmed = School or institution has confirmed the data
event-confirmed-with-changes = School or institution has confirmed the data and corrected some
event-confirmation-lapsed = Goes on without the confirmation
event-appeal-lodged = Appeal lodged
event-appeal-withdrawn = Appeal withdrawn
event-appeal-set-aside = Decision set aside, to be decided anew
event-appeal-forwarded = Appeal answered and forwarded
appeal-title = Administrative appeal
appeal-link = Not satisfied with the decision? You can appeal
appeal-see = See your appeal
appeal-one = Your appeal
appeal-intro = If you think the decision is wrong, you can appeal. We first examine it again. If you are right, we set it aside and decide anew. If we keep it, we send our answer with the file to { $body }, and a copy of the answer to you. It costs nothing.
appeal-until = Lodge it by { $until }. The period begins the day after you got the letter.
appeal-over = Counted from the day the letter left, the period may be over. If you got the letter later, or could not appeal in time for reasons that are not yours, you can still appeal; say so in your reasons. The appeal body decides whether it is late.
appeal-text = Why do you disagree?
appeal-hint = Say what you think is wrong and why, and what you want us to do. Up to 4,000 characters.
appeal-go = Lodge the appeal
appeal-law = Law: { $law }. You can also send an appeal on paper to the deciding office.
appeal-none = There is no decision to appeal against now.
appeal-empty = Say why you appeal.
appeal-too-long = Too long; shorten it to 4,000 characters.
appeal-late = It may have come after the period; the appeal body decides whether it is taken.
appeal-said = You said
appeal-answered = What the office says
appeal-withdraw = Withdraw the appeal
appeal-withdraw-text = After that you can’t appeal against the same decision again.
appeal-state-lodged = Being examined again
appeal-state-set-aside = Decision set aside
appeal-state-decided = Decided anew
appeal-state-forwarded = Forwarded
appeal-state-withdrawn = Withdrawn
appeal-note-lodged = Received on { $lodged }. We are examining the decision again and answer by { $due }.
appeal-note-set-aside = Lodged on { $lodged }. We have set the decision aside and are deciding anew; you will get a letter.
appeal-note-decided = Lodged on { $lodged }. We have decided anew; both letters are on the page of your application.
appeal-note-forwarded = Lodged on { $lodged }. We keep the decision and have sent the file to { $body }, which decides now.
appeal-note-withdrawn = Lodged on { $lodged }, later withdrawn by you.
use-confirm = Confirmed by a school or institution
use-appeal = Handled an appeal
office-action-confirm = Confirmed
office-action-appeal = Appeal
