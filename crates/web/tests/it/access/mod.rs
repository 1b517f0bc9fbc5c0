//! Who gets what: every route, as everybody. `matrix.txt` is the table; a route without a line makes the test fail.

mod routes;
