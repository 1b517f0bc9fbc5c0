# Rights over one's data (Personal Data Protection Act §3, §10, §11, §13)
rights-title = Exercise my rights over my data
rights-link = Ask about, correct, stop the use of or delete my data, or download a copy
rights-ask-one = Ask about this use
rights-intro = Your data is yours. You may ask who used it and why, have it corrected, have its use stopped or have it deleted, free of charge. Questions are answered within 15 days, everything else within 30. If we need longer we tell you why first, and it can be extended only once.
rights-new = Make a new request
rights-about = You are asking about: { $time }, { $what }
rights-kind = What would you like to do?
rights-kind-ask = Ask or read
rights-hint-ask = Why a use took place, or which data the city has about you
rights-kind-correct = Complete or correct
rights-hint-correct = Something is wrong or missing; until it is answered the case says that it is disputed
rights-kind-stop = Stop the use
rights-hint-stop = We no longer tell you of benefits on our own, nor use your data beyond your cases
rights-kind-delete = Delete
rights-hint-delete = Delete the data of a case that is closed
rights-case = Which case is it about?
rights-case-hint = Needed to delete something
rights-case-none = None of my cases
rights-text = Please explain
rights-text-hint = For example what is wrong and what it should be. No documents are needed.
rights-send = Send the request
rights-done = We have received your request. The answer will appear on this page.
rights-state-open = Being handled
rights-state-granted = Done as you asked
rights-state-partly = Done in part
rights-state-refused = Not done
rights-state-withdrawn = Withdrawn
rights-note-open = Made on { $made }; answered by { $due } at the latest.
rights-note-extended = Made on { $made }; extended, answered by { $due } at the latest.
rights-note-over = Made on { $made }.
rights-said = What you said
rights-longer = Why it takes longer
rights-answer = Answer
rights-withdraw = Withdraw this request
rights-copy = Download my data
rights-copy-text = One file (JSON) with your account, the content of each case, consents, payments and uses, which programs can read. Keep it where only you can open it.
rights-copy-get = Download
rights-error-kind = Choose what you would like to do
rights-error-text = Write an explanation
rights-error-long = The explanation is too long; shorten it to 4,000 characters
rights-error-many = You have 20 requests being handled; wait until one is answered
rights-error-case = Choose the case whose data is to be deleted
use-exercise = exercised rights over personal data
use-answer-request = handled your request about your data
office-action-exercise = Exercised rights
office-action-answer-request = Privacy request handled
office-role-privacy = Privacy officer
office-nav-privacy = Privacy requests
office-privacy-intro = By Article 13 of the Personal Data Protection Act questions are answered within 15 days, corrections, stops and deletions within 30; where needed this is extended once and the person is told why.
office-privacy-none = No request waits for an answer.
office-privacy-open = Waiting for an answer
office-privacy-over = Closed
office-privacy-right = Request
office-privacy-due = Answer by
office-privacy-made = Made on
office-privacy-case = Case
office-privacy-entry = Entry { $n } of the record of use
office-privacy-answer = Answer the person
office-privacy-outcome = Outcome
office-privacy-answer-hint = The person reads this. Where it is refused, or done in part, name the law and the remedy.
office-privacy-send = Send the answer
office-privacy-deletes = With “Granted” the data of this case is destroyed tonight and can't be brought back.
office-privacy-needed = This case is still being handled, or an appeal or a claim needs it; it can't be deleted now. Refuse with the reason, or wait until it is closed.
office-privacy-extend = Extend the time
office-privacy-extend-text = Only once, by as many days as there were at first. The person is told the reason.
office-privacy-longer = Reason for the extension
office-privacy-extend-do = Extend
office-privacy-error-outcome = Choose the outcome
office-privacy-error-text = Write the text
office-done-request-answered = The request is answered
office-done-request-extended = The time is extended and the person has been told
office-message-request-answered = Answer to a privacy request
office-message-request-extended = Extension of a privacy request
event-data-disputed = You disputed the data; this is noted
office-event-data-disputed = The person disputes that the data is right (PDPA §11 II)
event-dispute-settled = The dispute about the data was answered
office-event-dispute-settled = The dispute about the data was answered
event-deletion-granted = At your request the data will be destroyed
office-event-deletion-granted = Deletion granted at the person's request; destroyed tonight
office-privacy-said = What the person says
office-privacy-left =
    { $n ->
        [one] { $n } day left
       *[other] { $n } days left
    }
office-privacy-late =
    { $n ->
        [one] { $n } day late
       *[other] { $n } days late
    }
office-privacy-state-open = To be answered
office-privacy-state-granted = Granted
office-privacy-state-partly = Granted in part
office-privacy-state-refused = Refused
office-privacy-state-withdrawn = Taken back
