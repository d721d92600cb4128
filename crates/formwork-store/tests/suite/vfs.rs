//! A disk that can lose power: a SQLite VFS that forwards to the default one and remembers, per file, what was
//! flushed and what was only written. Flushes can be held back or made to fail.
//!
//! The one place with `unsafe` in the tests: SQLite takes a VFS as a table of C functions. Each function forwards its
//! arguments unchanged to the default VFS's function of the same name; pointers are those that SQLite gave, and are
//! used only during the call, but for the table and the files' states, which live until the process ends or the file
//! is closed.
#![allow(unsafe_code)]

use parking_lot::{Condvar, Mutex};
use rusqlite::ffi;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The state of a disk.
#[derive(Default)]
pub(crate) struct Disk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, Image>,
    held: bool,
    waiting: usize,
    failing: bool,
    flushes: usize,
}

#[derive(Default)]
struct Image {
    /// What a power cut leaves.
    flushed: Vec<u8>,
    /// What was done since the last flush.
    since: Vec<Change>,
}

enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl Image {
    fn apply(bytes: &mut Vec<u8>, change: &Change) {
        match change {
            Change::Write(at, data) => {
                let end = at + data.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*at..end].copy_from_slice(data);
            }
            Change::Truncate(length) => bytes.resize(*length, 0),
        }
    }
}

impl Disk {
    /// A disk and the name of its VFS.
    pub(crate) fn register() -> (Arc<Self>, String) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let disk = Arc::new(Self::default());
        let name = format!("disk-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let c_name = CString::new(name.clone()).unwrap();
        // SAFETY: finding the default VFS has no precondition; the new table and its data are leaked, so that they
        // outlive every connection.
        unsafe {
            let real = ffi::sqlite3_vfs_find(ptr::null());
            assert!(!real.is_null());
            let shim = Box::leak(Box::new(Shim { real, disk: Arc::clone(&disk) }));
            let vfs = Box::leak(Box::new(ffi::sqlite3_vfs {
                iVersion: 1,
                szOsFile: size_of::<ShimFile>() as c_int,
                mxPathname: (*real).mxPathname,
                pNext: ptr::null_mut(),
                zName: c_name.into_raw(),
                pAppData: ptr::from_mut(shim).cast(),
                xOpen: Some(open),
                xDelete: Some(delete),
                xAccess: Some(access),
                xFullPathname: Some(full_pathname),
                xDlOpen: None,
                xDlError: None,
                xDlSym: None,
                xDlClose: None,
                xRandomness: Some(randomness),
                xSleep: Some(sleep),
                xCurrentTime: Some(current_time),
                xGetLastError: Some(last_error),
                xCurrentTimeInt64: None,
                xSetSystemCall: None,
                xGetSystemCall: None,
                xNextSystemCall: None,
            }));
            assert_eq!(ffi::sqlite3_vfs_register(vfs, 0), ffi::SQLITE_OK);
        }
        (disk, name)
    }

    /// From now on flushes wait.
    pub(crate) fn hold(&self) {
        self.state.lock().held = true;
    }

    /// Waits until a flush waits; one that never comes fails the test.
    pub(crate) fn until_held_up(&self) {
        let mut state = self.state.lock();
        let flushes = |state: &mut State| state.waiting == 0;
        let waited = self.changed.wait_while_for(&mut state, flushes, Duration::from_secs(20));
        if waited.timed_out() {
            // What waits for the writer's end would wait for ever.
            state.held = false;
            panic!("nothing was flushed");
        }
    }

    /// Lets the flushes go on.
    pub(crate) fn release(&self) {
        self.state.lock().held = false;
        self.changed.notify_all();
    }

    /// Makes every flush fail, or ends that.
    pub(crate) fn fail(&self, failing: bool) {
        self.state.lock().failing = failing;
    }

    /// How many flushes there were.
    pub(crate) fn flushes(&self) -> usize {
        self.state.lock().flushes
    }

    /// Writes what a power cut would leave now into a folder. Of what was not flushed, `survives` says which of the
    /// changes of a file, by number, have reached the disk all the same.
    pub(crate) fn cut_power(&self, folder: &Path, mut survives: impl FnMut(usize) -> bool) {
        let state = self.state.lock();
        for (path, image) in &state.files {
            let mut bytes = image.flushed.clone();
            for (number, change) in image.since.iter().enumerate() {
                if survives(number) {
                    Image::apply(&mut bytes, change);
                }
            }
            let name = Path::new(path).file_name().unwrap();
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }

    fn note(&self, path: &str, change: Change) {
        if let Some(image) = self.state.lock().files.get_mut(path) {
            image.since.push(change);
        }
    }

    fn flush(&self, path: &str) -> bool {
        let mut state = self.state.lock();
        state.waiting += 1;
        self.changed.notify_all();
        while state.held {
            self.changed.wait(&mut state);
        }
        state.waiting -= 1;
        if state.failing {
            return false;
        }
        state.flushes += 1;
        if let Some(image) = state.files.get_mut(path) {
            for change in std::mem::take(&mut image.since) {
                Image::apply(&mut image.flushed, &change);
            }
        }
        true
    }
}

struct Shim {
    real: *mut ffi::sqlite3_vfs,
    disk: Arc<Disk>,
}

#[repr(C)]
struct ShimFile {
    base: ffi::sqlite3_file,
    state: *mut FileState,
}

struct FileState {
    /// The default VFS's file, in memory aligned as it wants.
    real: Vec<u64>,
    /// Absent for files that only live as long as the process.
    path: Option<String>,
    disk: Arc<Disk>,
}

impl FileState {
    fn real(&mut self) -> *mut ffi::sqlite3_file {
        self.real.as_mut_ptr().cast()
    }
}

/// # Safety
/// `vfs` is a table that [`Disk::register`] made.
unsafe fn shim<'a>(vfs: *mut ffi::sqlite3_vfs) -> &'a Shim {
    // SAFETY: `register` put a leaked Shim there.
    unsafe { &*(*vfs).pAppData.cast::<Shim>() }
}

/// # Safety
/// `file` is one that [`open`] filled in and that is not closed.
unsafe fn state<'a>(file: *mut ffi::sqlite3_file) -> &'a mut FileState {
    // SAFETY: `open` put a boxed FileState there, and SQLite uses a file from one thread at a time.
    unsafe { &mut *(*file.cast::<ShimFile>()).state }
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: see the module's header.
    unsafe {
        let shim = shim(vfs);
        let words = (*shim.real).szOsFile as usize / 8 + 1;
        let kept = flags & (ffi::SQLITE_OPEN_MAIN_DB | ffi::SQLITE_OPEN_WAL) != 0 && !name.is_null();
        let path = kept.then(|| CStr::from_ptr(name).to_string_lossy().into_owned());
        let mut state = Box::new(FileState { real: vec![0; words], path, disk: Arc::clone(&shim.disk) });
        let real = state.real();
        (*file).pMethods = ptr::null();
        let Some(forward) = (*shim.real).xOpen else { return ffi::SQLITE_ERROR };
        let code = forward(shim.real, name, real, flags, out);
        if code != ffi::SQLITE_OK {
            if let Some(close) = (*real).pMethods.as_ref().and_then(|methods| methods.xClose) {
                close(real);
            }
            return code;
        }
        if let Some(path) = &state.path {
            // What is there at the first opening is on disk.
            let flushed = std::fs::read(path).unwrap_or_default();
            let mut disk = shim.disk.state.lock();
            disk.files.entry(path.clone()).or_insert_with(|| Image { flushed, since: Vec::new() });
        }
        (*file.cast::<ShimFile>()).state = Box::into_raw(state);
        (*file).pMethods = &raw const METHODS;
        code
    }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    // Version 2 has no memory mapping, so that every write comes through here.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Calls the function of the same name of the default VFS's file.
macro_rules! forward {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        // SAFETY: see the module's header.
        unsafe {
            let real = state($file).real();
            match (*(*real).pMethods).$method {
                Some(method) => method(real $(, $argument)*),
                None => ffi::SQLITE_IOERR,
            }
        }
    }};
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let code = forward!(file, xClose);
    // SAFETY: SQLite does not use the file again.
    drop(unsafe { Box::from_raw((*file.cast::<ShimFile>()).state) });
    code
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, to: *mut c_void, length: c_int, at: i64) -> c_int {
    forward!(file, xRead, to, length, at)
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    length: c_int,
    at: i64,
) -> c_int {
    let code = forward!(file, xWrite, from, length, at);
    // SAFETY: SQLite gives `length` bytes.
    let (state, data) =
        unsafe { (state(file), std::slice::from_raw_parts(from.cast::<u8>(), length as usize)) };
    if let Some(path) = &state.path {
        state.disk.note(path, Change::Write(at as usize, data.to_vec()));
    }
    code
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: i64) -> c_int {
    let code = forward!(file, xTruncate, length);
    // SAFETY: see the module's header.
    let state = unsafe { state(file) };
    if let Some(path) = &state.path {
        state.disk.note(path, Change::Truncate(length as usize));
    }
    code
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: see the module's header.
    let state = unsafe { state(file) };
    if let Some(path) = &state.path
        && !state.disk.flush(path)
    {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    forward!(file, xSync, flags)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    forward!(file, xFileSize, size)
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    forward!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    forward!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, held: *mut c_int) -> c_int {
    forward!(file, xCheckReservedLock, held)
}

unsafe extern "C" fn file_control(
    file: *mut ffi::sqlite3_file,
    operation: c_int,
    with: *mut c_void,
) -> c_int {
    if operation == ffi::SQLITE_FCNTL_MMAP_SIZE {
        return ffi::SQLITE_NOTFOUND;
    }
    forward!(file, xFileControl, operation, with)
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    forward!(file, xSectorSize)
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    forward!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    to: *mut *mut c_void,
) -> c_int {
    forward!(file, xShmMap, region, size, extend, to)
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    forward!(file, xShmLock, first, count, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: see the module's header.
    unsafe {
        let real = state(file).real();
        if let Some(barrier) = (*(*real).pMethods).xShmBarrier {
            barrier(real);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, remove: c_int) -> c_int {
    forward!(file, xShmUnmap, remove)
}

/// Calls the default VFS's function of the same name.
macro_rules! forward_vfs {
    ($vfs:expr, $method:ident $(, $argument:expr)*) => {{
        // SAFETY: see the module's header.
        unsafe {
            let real = shim($vfs).real;
            match (*real).$method {
                Some(method) => method(real $(, $argument)*),
                None => ffi::SQLITE_ERROR,
            }
        }
    }};
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite gives a text.
    let path = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
    // SAFETY: see the module's header.
    unsafe { shim(vfs) }.disk.state.lock().files.remove(&path);
    forward_vfs!(vfs, xDelete, name, sync)
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    forward_vfs!(vfs, xAccess, name, flags, out)
}

unsafe extern "C" fn full_pathname(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    length: c_int,
    out: *mut c_char,
) -> c_int {
    forward_vfs!(vfs, xFullPathname, name, length, out)
}

unsafe extern "C" fn randomness(vfs: *mut ffi::sqlite3_vfs, length: c_int, out: *mut c_char) -> c_int {
    forward_vfs!(vfs, xRandomness, length, out)
}

unsafe extern "C" fn sleep(vfs: *mut ffi::sqlite3_vfs, micros: c_int) -> c_int {
    forward_vfs!(vfs, xSleep, micros)
}

unsafe extern "C" fn current_time(vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    forward_vfs!(vfs, xCurrentTime, out)
}

unsafe extern "C" fn last_error(vfs: *mut ffi::sqlite3_vfs, length: c_int, out: *mut c_char) -> c_int {
    forward_vfs!(vfs, xGetLastError, length, out)
}
