// What residents of the demonstration city answer, by the end of a field's key.

/** A family of low income, asked what no register knows. */
export const FAMILY = {
  lives_at_registration: "yes",
  school: "none",
  work_obstacle: "none",
  work_status: "not_working",
  exclusion: "none",
  lives_together: "yes",
  claims_as_dependant: "no",
  land_not_counted: "0",
  pregnant: "no",
  other_public_aid: "0",
  email: "resident@city.example",
  phone: "0912345678",
  "account.bank": "700",
  "account.account": "00012345678901",
};

/** An elder who lives with little, asked what no register knows. */
export const ELDER = {
  email: "resident@city.example",
  phone: "0912345678",
  lives_at_registration: "yes",
  in_custody: "no",
  exclusion: "none",
  claims_as_dependant: "no",
  lives_together: "yes",
  in_public_care: "no",
  other_allowance: "none",
  other_public_aid: "0",
  land_value_relief: "no",
  "account.bank": "004",
  "account.account": "012345678901",
};
