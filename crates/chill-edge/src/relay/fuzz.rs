//! The ways into what strangers reach first, for fuzzing.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::bypass::stand_in;
use super::connection::{ConnectionCut, Wire};
pub use super::line::doors::*;

/// Longest piece of a film, in bytes; more than a socket takes at once.
const LONGEST: usize = 64 * 1024;
/// What a player's kernel takes, in bytes.
const NARROW: u32 = 16 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);

/// Carries a film from an origin to a player, over sockets: each byte of the script is a piece of it, read when the lowest bit
/// is 0, otherwise past this process between two bytes that are read, and the longer the larger the other bits are. Gives
/// what was sent, and what came.
///
/// # Errors
/// When sockets cannot be had, or the film stands still.
pub fn carried(script: &[u8]) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { tokio::time::timeout(PATIENCE, carry(script)).await? })
}

async fn carry(script: &[u8]) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let ((mut origin, mut from), (to, mut player)) = (pair(TcpSocket::new_v4()?).await?, pair(narrow()?).await?);
    let pieces = || script.iter().map(|step| (step & 1 == 1, LONGEST * usize::from(step >> 1) / 127 + 3));
    let whole = pieces().map(|(_, length)| length).sum();
    let film: Vec<u8> = (0..whole).map(|at: usize| at.wrapping_mul(at).to_le_bytes()[1]).collect();
    let mut wire = Wire::new(to, ConnectionCut::new(), PATIENCE);
    let relay = async {
        for (passes, length) in pieces() {
            if passes { pass(&mut from, &mut wire, length).await? } else { copy(&mut from, &mut wire, length).await? }
        }
        wire.shutdown().await
    };
    let mut came = Vec::new();
    let (sent, relayed, read) = tokio::join!(origin.write_all(&film), relay, player.read_to_end(&mut came));
    sent.and(relayed).and(read)?;
    Ok((film, came))
}

async fn copy(from: &mut TcpStream, wire: &mut Wire, length: usize) -> io::Result<()> {
    let mut piece = vec![0; length];
    from.read_exact(&mut piece).await?;
    write(wire, &[IoSlice::new(&piece)]).await
}

/// One byte, then what the bypass takes of the others, and one byte; what is left, in the same way.
async fn pass(from: &mut TcpStream, wire: &mut Wire, length: usize) -> io::Result<()> {
    let mut left = length;
    while left > 2 {
        let before = from.read_u8().await?;
        let bypass = wire.bypass();
        let count = poll_fn(|cx| bypass.poll_fill(cx, from, left - 2).unwrap_or(Poll::Ready(0))).await;
        let after = from.read_u8().await?;
        write(wire, &[IoSlice::new(&[before]), IoSlice::new(&stand_in(count)), IoSlice::new(&[after])]).await?;
        left -= count + 2;
    }
    copy(from, wire, left).await
}

async fn write(wire: &mut Wire, pieces: &[IoSlice<'_>]) -> io::Result<()> {
    poll_fn(|cx| Pin::new(&mut *wire).poll_write_vectored(cx, pieces)).await.map(|_| ())
}

fn narrow() -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(NARROW)?;
    Ok(socket)
}

/// Two ends of a connection; the second one is this socket's.
async fn pair(socket: TcpSocket) -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let connected = socket.connect(listener.local_addr()?).await?;
    Ok((listener.accept().await?.0, connected))
}
