//! One JSON line on standard error for what an operator must know and a caller must not.

use crate::json::write_text;
use std::io::Write;

/// Writes a line: what happened, to which request, and why.
pub(crate) fn fault(event: &str, request_id: &str, operation: &str, cause: &str) {
    let mut line = Vec::with_capacity(200);
    for (name, value) in
        [("event", event), ("request_id", request_id), ("operation", operation), ("cause", cause)]
    {
        line.push(if line.is_empty() { b'{' } else { b',' });
        write_text(&mut line, name);
        line.push(b':');
        write_text(&mut line, value);
    }
    line.extend_from_slice(b"}\n");
    // Nobody is left to tell when standard error is gone.
    let _ = std::io::stderr().lock().write_all(&line);
}
