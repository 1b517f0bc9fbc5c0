# The office: queue, cases, payments, indicators, audit, platform

office-nav-portal = Services for residents
office-nav-queue = Queue
office-nav-load = Load
office-nav-payments = Payments
office-nav-indicators = Indicators
office-nav-audit = Audit of data use
office-nav-admin = Platform
office-role-officer = Officer
office-role-supervisor = Supervisor
office-role-cashier = Cashier
office-role-auditor = Auditor
office-role-administrator = Administrator

# Sign-in
office-sign-in-title = Staff sign-in
office-sign-in-text = Enter your account, your password and the 6 digits of your authenticator.
office-sign-in-account = Account
office-sign-in-password = Password
office-sign-in-code = One-time code
office-sign-in-code-hint = Each code works once. If you have used it, wait for the next one.
office-sign-in-help = Forgotten your password, or changed your phone? Ask the administrator.
office-sign-in-wrong = Account, password or code is wrong. Wait for the next code, then try again.
office-sign-in-locked = Too many wrong attempts: this account can’t sign in for now. Try again after { $until }. If it was not you, tell the administrator at once.

# Shared
office-service = Service
office-filter-label = Filters
office-filter-number = Case number
office-filter-holder = Officer
office-filter-finding = Finding of the rules
office-filter-all = All
office-filter-apply = Apply
office-filter-clear = Clear filters
office-month-hint = Year and month, for example 2025-11
office-value-unknown = not known yet
office-value-empty = (not answered)
office-new-window = (opens a new window)

# Queue
office-queue-title = Queue
office-queue-total =
    { $n ->
        [one] { $n } case, by legal deadline
       *[other] { $n } cases, by legal deadline
    }
office-queue-counts = Cases in each state
office-queue-caption = Cases to work on, the nearest legal deadline first
office-queue-number = Case number
office-queue-left = Time left
office-queue-deadline = Legal deadline
office-queue-state = State
office-queue-none = No case matches. Try fewer filters.
office-queue-empty = There are no cases to work on.
office-queue-taken =
    { $n ->
        [one] You took { $n } case
       *[other] You took { $n } cases
    }
office-queue-missed =
    { $n ->
        [one] { $n } case was not taken: a colleague was faster, or it has changed.
       *[other] { $n } cases were not taken: a colleague was faster, or they have changed.
    }
office-holder-none = Nobody
office-holder-mine = Mine
office-holder-nobody = Taken by nobody
office-take = Take
office-take-tick = Select { $number }
office-take-ticked = Take the selected cases
office-state-submitted = Submitted
office-state-review = In review
office-state-correction = Being corrected
office-state-approved = Approved, letter to leave
office-state-refused = Refused, letter to leave
office-state-completed = Closed
office-state-withdrawn = Withdrawn
office-finding-eligible = Eligible
office-finding-ineligible = Not eligible
office-finding-open = Can’t tell yet
office-days-left =
    { $n ->
        [one] { $n } working day left
       *[other] { $n } working days left
    }
office-days-today = Due today
office-days-late =
    { $n ->
        [one] { $n } working day late
       *[other] { $n } working days late
    }
office-clock-stopped = Clock stands still: waiting for the applicant
office-clock-over = Decided, clock has ended

# Case
office-case-back = Back to the queue
office-case-submitted = Submitted
office-case-channel = Channel
office-case-deadline = Legal deadline
office-case-law-day = Law of the day
office-case-stopped-days = Clock stood still
office-case-stopped-days-n =
    { $n ->
        [one] { $n } day (correction)
       *[other] { $n } days (correction)
    }
office-case-correction-due = Correction due
office-case-correction-due-text =
    { $n ->
        [one] { $day } ({ $n } working day left)
       *[other] { $day } ({ $n } working days left)
    }
office-case-correction-text = What was asked for
office-case-account-refused = The bank refused this person’s account.
office-case-answers = Application and sources
office-case-answers-caption = Value in the form, value of the source, and the difference
office-case-question = Item
office-case-form = Form
office-case-source = Source
office-case-difference = Difference
office-case-evidence = Evidence received
office-case-evidence-none = Nothing came from other agencies; the applicant answered everything.
office-case-decision = Finding of the rules
office-case-minimum = Conditions that decide the refusal
office-case-waiting = Still needed to tell
office-case-steps = Step by step
office-case-figures = Figures ({ $n })
office-case-acts = Decide
office-case-take-first = Take the case before you decide it.
office-case-nothing-now = There is nothing to do now.
office-case-not-yours = You can look at this case, but not act on it now.
office-case-history = History
office-case-letters = Letters
office-case-letters-none = No letter has left yet.
office-case-payments = Payments
office-channel-online = Online
office-channel-counter = Counter
office-channel-agent = Agent
office-difference-same = Same
office-difference-other = Different
office-difference-alone = No source
office-source-profile = Sign-in details
office-source-register = City register
office-step-figure = Figure
office-evidence-set = Data set
office-evidence-status = Result
office-evidence-signer = Signed by
office-evidence-at = Received
office-evidence-digest = Digest
office-evidence-received = Received
office-evidence-empty = No such data
office-evidence-unavailable = Not available
office-outcome-eligible = The rules say: eligible
office-outcome-eligible-text = All conditions are met.
office-outcome-ineligible = The rules say: not eligible
office-outcome-ineligible-text = The conditions below are enough to explain why.
office-outcome-open = The rules can’t tell yet
office-outcome-open-text = The facts below are missing; you can ask for a correction.
office-approve = Approve
office-approve-not = The rules don’t say eligible, so it can’t be approved.
office-note = Add a note (it stands in the letter)
office-preview = Preview letter
office-refuse = Refuse
office-refuse-reasons = Reasons
office-refuse-hint = Filled in from the rules; you can change them. The letter also gives the articles and the right of appeal.
office-refuse-do = Refuse the application
office-correction = Ask for a correction
office-correction-message = What the applicant should put right
office-correction-fields = Items to check again
office-correction-due = Correction due
office-correction-days = { $n } days ({ $day })
office-correction-do = Send the request
office-give-back = Give back to the queue
office-undo = Take the decision back
office-undo-until = The letter leaves at { $until }. Until then you can take the decision back.
office-undo-soon = The letter is about to leave. Until it has, you can take the decision back.
office-letter-approved = Letter of approval
office-letter-refused = Letter of refusal
office-letter-correction = Request for correction
office-conflict-title = Somebody was faster
office-conflict-text = This has changed since you opened it, so nothing was done. Open it again, look at it, then decide.
office-conflict-kept = Somebody, or the platform, changed this in the meantime. What you typed is kept below; compare it and send it again.
office-conflict-open = Open the newest version
office-error-not-held = A colleague holds this case, or it is back in the queue. Take it first.
office-error-not-eligible = The rules don’t say eligible, so it can’t be approved. Ask for a correction, or refuse.
office-error-reasons = Write the reasons. While the rules can’t tell, a refusal needs them.
office-error-message = Select items, or write what to put right.
office-error-too-long = The text is too long; keep it under 2,000 characters.
office-error-due = The correction must be due after today and within 90 days.
office-error-letter = The letter could not be made, and the case has not changed. Tell the administrator.
office-error-other = Nothing was done. Check and try again.
office-done-taken = You took the case
office-done-given-back = The case is back in the queue
office-done-approved = Approved. You can take it back until the letter leaves.
office-done-refused = Refused. You can take it back until the letter leaves.
office-done-correction = The correction was asked for. The legal clock stands still until it comes.
office-done-undone = The decision was taken back; the case is in review again
office-event-submitted = Submitted
office-event-taken = Taken
office-event-assigned = Reassigned
office-event-given-back = Given back
office-event-approved = Approved
office-event-refused = Refused
office-event-correction-requested = Correction asked for
office-event-corrected = Corrected
office-event-correction-lapsed = Correction did not come in time
office-event-withdrawn = Withdrawn by the applicant
office-event-decision-undone = Decision taken back
office-event-completed = Letter left, case closed
office-event-disposed = Data destroyed
office-event-account-changed = Account for payment changed
office-event-mydata-arrived = MyData arrived
office-actor-person = Applicant
office-actor-staff = Staff
office-actor-system = System
office-actor-organisation = Other organisation

# Keyboard
office-keys = Keyboard
office-keys-move = next, previous
office-keys-open = open, or press the button
office-keys-approve = to the approve button
office-keys-refuse = write a refusal
office-keys-correction = write a request for correction
office-keys-search = search a case number
office-keys-help = show this help

# Load
office-load-title = Load
office-load-text = Where cases are and how old they are. For sharing the work out, not for comparing people.
office-load-caption = Cases by officer
office-load-ages = Days since submission
office-load-holder = Officer
office-load-nobody = Taken by nobody
office-load-open = In work
office-load-late = Late
office-load-soon = Due within 5 working days
office-load-correction = Being corrected
office-load-oldest = Oldest
office-load-days =
    { $n ->
        [one] { $n } day
       *[other] { $n } days
    }
office-load-band = { $from } to { $to } days
office-load-band-last = { $from } days and more

# Payments
office-pay-prepare-title = Prepare the month
office-pay-prepare-text = Makes the payments of a month that approved cases are entitled to and that are not there yet. Doing it again pays nobody twice.
office-pay-prepare = Prepare payments
office-pay-prepared =
    { $n ->
        [one] { $n } payment added
       *[other] { $n } payments added
    }
office-pay-month = Month paid for
office-pay-month-wrong = Write year and month, for example 2025-11.
office-pay-month-future = This month has not begun; its payments can’t be prepared yet.
office-pay-service-wrong = Choose a service.
office-pay-nothing-due = Nothing can be paid for this month. Payments that wait for another account stay out.
office-pay-format = A payment does not fit the bank’s format, so no batch was made. Tell the administrator.
office-pay-due = Due
office-pay-due-none = Nothing is due.
office-pay-count = Payments
office-pay-sum = Sum
office-pay-waiting = Can't be paid yet
office-pay-make = Make batch
office-pay-amount = Amount
office-pay-attempt = Attempt
office-pay-reason = Why the bank refused
office-pay-rejected = Refused by the bank, to be dealt with
office-pay-rejected-none = There are no refused payments to deal with.
office-pay-next = What happens next
office-pay-next-account = The applicant has been asked for another account; once it is there, the payment is due again by itself.
office-pay-next-retry = The account is not at fault; the payment can be tried again.
office-pay-retry = Pay again
office-pay-batches = Batches
office-pay-batches-none = There are no batches yet.
office-payment-due = Due
office-payment-held = Held
office-payment-batched = In a batch
office-payment-released = At the bank
office-payment-paid = Paid
office-payment-rejected = Refused by the bank
office-batch-title = Batch
office-batch-back = Back to payments
office-batch-number = Batch
office-batch-pay-on = Payment day
office-batch-made-by = Made by
office-batch-released-by = Released by
office-batch-made = To be released
office-batch-released = Released
office-batch-answered = Answered by the bank
office-batch-dissolved = Dissolved
office-batch-release = Release
office-batch-own = You made this batch. A colleague has to check and release it.
office-batch-cancel = Dissolve the batch
office-batch-file = Download the bank’s file (pain.001 XML)
office-batch-not-released = The batch has not been released, so there is no file for the bank yet.
office-batch-reports = Reports imported
office-batch-items = Payments of the batch
office-done-batch-made = The batch is made; a colleague has to release it
office-done-batch-released = Released. You can download the bank’s file.
office-done-batch-dissolved = The batch is dissolved; its payments are due again
office-done-retried = The payment is due again
office-report-title = Import the bank’s report
office-report-text = Choose the pain.002 file of the bank (64 MB at most). Importing the same file again changes nothing.
office-report-file = Report of the bank
office-report-import = Import
office-report-missing = Choose a file.
office-report-unknown = This is no pain.002 that we can read, so nothing was imported. Check the file and try again.
office-report-no-batch = This report answers a batch that is not ours, so nothing was imported.
office-report-not-released = This batch was never released, so the bank can’t have answered it. Nothing was imported; ask the bank.
office-report-imported = Report imported
office-report-repeated = This file was imported before
office-report-repeated-text = Nothing has changed.
office-report-paid =
    { $n ->
        [one] { $n } payment paid
       *[other] { $n } payments paid
    }
office-report-rejected =
    { $n ->
        [one] { $n } payment refused, listed below to be dealt with
       *[other] { $n } payments refused, listed below to be dealt with
    }
office-report-pending =
    { $n ->
        [one] { $n } payment still at the bank
       *[other] { $n } payments still at the bank
    }
office-report-contradicted =
    { $n ->
        [one] The bank contradicts itself on { $n } payment; ask it. A further attempt that has not left is held, one that has left is claimed back
       *[other] The bank contradicts itself on { $n } payments; ask it. Further attempts that have not left are held, those that have left are claimed back
    }
office-report-batch = Look at the batch
office-report-message = Report
office-report-accepted = Paid
office-report-refused = Refused
office-bank-AC01 = The account number has a wrong form
office-bank-AC03 = The account number is invalid
office-bank-AC04 = The account is closed
office-bank-AC06 = The account is blocked
office-bank-AC13 = The account is of the wrong kind
office-bank-AC14 = The account is of the wrong kind
office-bank-ACSC = The bank refused it first and says now that it has paid
office-bank-AG01 = The account can’t receive payments
office-bank-AM04 = The paying account has too little money
office-bank-AM05 = The same payment had been made already
office-bank-BE01 = Name and account number don’t belong together
office-bank-RC01 = The bank code is wrong
office-bank-RJCT = The bank gave no reason
office-bank-other = The bank refused it for another reason

# Indicators
office-kpi-from = From (month)
office-kpi-to = To (month)
office-kpi-month-wrong = Write months as year and month, for example 2025-11.
office-kpi-months-turned = The last month must not be before the first.
office-kpi-counted = Counted from the cases there are at { $at }; the month is that of submission.
office-kpi-nothing = no data yet
office-kpi-satisfaction = Satisfaction
office-kpi-satisfaction-formula = (5 × very satisfied + 4 × satisfied + 3 × neutral + 2 × dissatisfied + 1 × very dissatisfied) ÷ all answers; from 1 to 5
office-kpi-satisfaction-base =
    { $n ->
        [one] (5 × { $a } + 4 × { $b } + 3 × { $c } + 2 × { $d } + 1 × { $e }) ÷ { $n } answer
       *[other] (5 × { $a } + 4 × { $b } + 3 × { $c } + 2 × { $d } + 1 × { $e }) ÷ { $n } answers
    }
office-kpi-online = Share online
office-kpi-online-formula = (online by the person + online by an agent) ÷ all applications
office-kpi-online-base = ({ $online } + { $agent }) ÷ { $n }; at the counter { $counter }
office-kpi-median = Days to decision, median
office-kpi-median-formula = Days from submission to decision without those of a correction; the middle one
office-kpi-mean = Days to decision, mean
office-kpi-mean-formula = Days from submission to decision without those of a correction; their mean
office-kpi-days-base = { $n } decided
office-kpi-days-n = { $n } days
office-kpi-documents = Documents saved
office-kpi-documents-formula = Papers the paper form asks for − documents uploaded, over all applications
office-kpi-documents-base =
    { $n ->
        [one] { $n } application
       *[other] { $n } applications
    }
office-kpi-chart = Applications by month
office-kpi-months = Numbers by month
office-kpi-month = Month
office-kpi-applications = Applications
office-kpi-answers = Answers
office-kpi-approved = Approved
office-kpi-refused = Refused
office-kpi-withdrawn = Withdrawn
office-kpi-open = Open
office-kpi-outcome = Outcome
office-kpi-outcomes = Outcomes
office-kpi-grade = Grade
office-kpi-grades = Survey
office-kpi-grade-5 = Very satisfied
office-kpi-grade-4 = Satisfied
office-kpi-grade-3 = Neutral
office-kpi-grade-2 = Dissatisfied
office-kpi-grade-1 = Very dissatisfied

# Audit
office-audit-text = Who used which data of which case, when and what for. Names of fields only, no values.
office-audit-verify = Verify the ledger
office-audit-good =
    { $n ->
        [one] The ledger is whole: { $n } entry, none changed, removed or inserted
       *[other] The ledger is whole: { $n } entries, none changed, removed or inserted
    }
office-audit-bad = The ledger is not whole; report this at once
office-audit-head = End of the chain, to be published: { $head }
office-audit-search = Search
office-audit-from = From (day)
office-audit-to = To (day)
office-audit-day-hint = For example 114/11/24 or 2025-11-24
office-audit-day-wrong = Write days as 114/11/24 or 2025-11-24.
office-audit-number-unknown = There is no such case number. Check it and search again.
office-audit-none = No entry matches.
office-audit-older = Older entries
office-audit-entries = Uses of data
office-audit-seq = No.
office-audit-at = Time
office-audit-actor = Who
office-audit-action = What
office-audit-number = Case number
office-audit-no-number = not submitted, or destroyed
office-audit-purpose = Purpose and basis
office-audit-purpose-text = { $code } { $basis }
office-audit-fields = Fields
office-audit-hash = Hash
office-audit-events = Security events
office-audit-events-none = There are no security events.
office-audit-severity = Severity
office-audit-kind = Code
office-audit-detail = What happened
office-audit-origin = Address
office-severity-notice = Notice
office-severity-warning = Warning
office-severity-alarm = Alarm
office-action-open = Opened
office-action-fill = Filled in
office-action-submit = Submitted
office-action-withdraw = Withdrawn
office-action-import = Data fetched
office-action-notify = Notified
office-action-dispose = Destroyed
office-action-read = Read
office-action-decide = Reviewed
office-action-assign = Reassigned
office-action-pay = Paid

# Platform
office-health = Health
office-health-part = Part
office-health-state = State
office-health-more = More
office-health-database = Database
office-health-mydata = MyData
office-health-mail = Mail server
office-health-work = Background work
office-health-answers = Answers
office-health-silent = No answer
office-health-set = Set up
office-health-unset = Not set up
office-health-good = In order
office-health-given-up = Work was given up
office-health-milliseconds = { $n } ms
office-health-messages =
    { $n ->
        [one] { $n } message to send
       *[other] { $n } messages to send
    }
office-health-dead = { $n } given up
office-services = Services on offer
office-service-folder = Folder
office-service-agency = Agency
office-service-basis = Legal basis
office-service-digest = Digest of the rules
office-withdrawn = Services withdrawn
office-withdrawn-text = A service whose folder has mistakes is withdrawn by itself; the others go on. Put the mistakes right and start again.
office-withdrawn-tag = Withdrawn
office-undecided = Services that cannot decide
office-undecided-text = A parameter of these services has no value for today, so nobody gets an answer from them. Add a row to its table and start again.
office-undecided-tag = No value
office-mistake-place = File and place
office-mistake-why = Mistake
office-mistake-do = What to do
office-amounts = Amounts to be checked (source marked verify)
office-amount-name = Parameter
office-amount-from = In force from
office-amount-value = Value
office-amount-source = Source
office-amount-note = Note
office-work-waiting = Background work waiting
office-work-given-up = Background work given up
office-work-kind = Kind
office-work-count = Pieces
office-work-due = First due
office-work-attempts = Attempts
office-work-error = Last error
office-work-put = Put
office-work-retry = Try again
office-work-letter-decision = Make and send a letter
office-work-mydata-fetch = Fetch MyData
office-done-revived = The work will be tried again
office-accounts = Staff accounts
office-account-name = Account
office-account-person = Name
office-account-role = Role
office-account-state = State
office-account-failures = Wrong attempts
office-account-created = Opened
office-account-open = In use
office-account-closed = Closed
office-account-locked = Locked until { $until }

# Rounds
office-nav-rounds = Rounds and draws
office-rounds-text = Services with fewer places than applicants: seal the list, draw in public, check in, move up the waiting list.
office-rounds-none = Your office has no service with rounds.
office-round-name = Round
office-round-window = Applications taken
office-round-undecided-count = Not decided yet
office-round-tickets = Tickets
office-round-tickets-none = There are no tickets yet. They appear when an approval has been sent.
office-round-open = Taking applications
office-round-closed = Closed
office-round-sealed = List sealed
office-round-drawn = Drawn
office-round-back = All rounds
office-round-draw-day = Day of the draw
office-round-public = The public page
office-round-seats-differ = The seats in the service folder were changed after the list was sealed. This round keeps the sealed seats; the change counts from the next round on.
office-round-seal-title = Seal the list
office-round-seal-text = After applications have closed and all are decided. The sealed list is published at once and nobody can change it any more, nor the seats.
office-round-seal = Seal and publish the list
office-round-still-open = Applications are still being taken; the list can’t be sealed.
office-round-undecided = Some applications are not decided, or their letters have not left. Finish them first, then seal.
office-round-nobody = No application qualifies; there is nothing to draw.
office-round-draw-title = Public draw
office-round-draw-text = A colleague enters the public value. How it comes about was announced when the list was sealed:
office-round-draw = Draw and publish the result
office-round-seed-hint = Exactly as it was announced, to the letter.
office-round-seed-empty = Enter the public value.
office-round-seed-long = The public value may have 500 characters at most.
office-round-too-early = The day of the draw has not come yet.
office-round-own = Whoever sealed the list can’t draw from it; ask a colleague.
office-round-taken = Given
office-round-due = Until
office-round-check-in = Check in
office-done-round-sealed = The list is sealed and published.
office-done-round-drawn = Drawn and published. Every applicant is being told.
office-done-checked-in = Checked in.

# Data given to MyData
office-nav-transfers = Given to MyData
transfers-text = What the city gave when citizens asked for it on MyData. It is kept for two years and shows nobody's name. Choose a data set to lay it beside the platform's own record.
transfers-list = Transfers
transfers-none = Nothing was given in this time.
transfers-time = First asked
transfers-set = Data set
transfers-verified = Verified by
transfers-tries = Calls
transfers-size = Bytes
transfers-transaction = The platform's transaction
transfers-compare = Compare with the platform
transfers-compare-none = Do not compare
transfers-agree = Both records agree
transfers-differ = The records differ
transfers-no-record = The platform's record could not be read
transfers-both = Transactions in both: { $n }
transfers-only-ours = In ours alone: { $n } ({ $transactions })
transfers-only-theirs = In the platform's alone: { $n } ({ $transactions })
transfers-too-long = At most 92 days at once.
transfers-order = The first day can't be after the last.
transfer-preparing = Being prepared
transfer-ready = Waits for the platform
transfer-sent = Given
transfer-nothing = Nothing there
transfer-refused = Refused
mydata-verified-cer = Natural-person certificate
mydata-verified-moe = Company certificate
mydata-verified-tfd = TW FidO
mydata-verified-nhi = Health insurance card
mydata-verified-pii = Two documents
mydata-verified-gov = Another way
