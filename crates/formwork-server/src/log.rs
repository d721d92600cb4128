//! One JSON line on standard error for what an operator must know and a caller must not.

use crate::json::write_text;
use std::cell::RefCell;
use std::io::Write;

/// Takes the lines of a simulation.
pub(crate) type Sink = Box<dyn Fn(&str)>;

thread_local! {
    /// In a simulation, where this thread's lines go instead.
    static SINK: RefCell<Option<Sink>> = const { RefCell::new(None) };
}

/// From now on this thread's lines go there; without it, to standard error again.
pub(crate) fn redirect_this_thread(sink: Option<Sink>) {
    SINK.with_borrow_mut(|place| *place = sink);
}

/// Writes a line: what happened, to which request, and why.
pub(crate) fn fault(event: &str, request_id: &str, operation: &str, cause: &str) {
    let mut line = Vec::with_capacity(200);
    let trace = crate::edge::current_id();
    let members = [("event", event), ("request_id", request_id), ("operation", operation), ("cause", cause)];
    for (name, value) in members.into_iter().chain(trace.as_deref().map(|id| ("trace_id", id))) {
        line.push(if line.is_empty() { b'{' } else { b',' });
        write_text(&mut line, name);
        line.push(b':');
        write_text(&mut line, value);
    }
    let redirected = SINK.with_borrow(|sink| {
        sink.as_ref().map(|sink| sink(&format!("{}}}", String::from_utf8_lossy(&line)))).is_some()
    });
    if redirected {
        return;
    }
    line.extend_from_slice(b"}\n");
    // Nobody is left to tell when standard error is gone.
    let _ = std::io::stderr().lock().write_all(&line);
}
