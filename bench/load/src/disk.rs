//! How long the disk takes to make 4 KiB durable: the floor under every durable write of either server.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::Context;

use crate::statistics::{Percentiles, new_histogram, percentiles, record};

const BLOCK_BYTES: usize = 4096;
/// Written over and over, as SQLite does with its log.
const FILE_BLOCKS: usize = 1024;

/// Times `count` times a 4 KiB write with `fdatasync` in the folder.
pub(crate) fn measure_flush(folder: &Path, count: usize) -> anyhow::Result<Percentiles> {
    let path = folder.join("flush.probe");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    for _ in 0..FILE_BLOCKS {
        file.write_all(&[1; BLOCK_BYTES])?;
    }
    file.sync_all()?;
    let mut histogram = new_histogram()?;
    for index in 0..count {
        if index % FILE_BLOCKS == 0 {
            file.seek(SeekFrom::Start(0))?;
        }
        let started = Instant::now();
        file.write_all(&[2; BLOCK_BYTES])?;
        file.sync_data()?;
        record(&mut histogram, started.elapsed());
    }
    drop(file);
    std::fs::remove_file(&path)?;
    Ok(percentiles(&histogram))
}
