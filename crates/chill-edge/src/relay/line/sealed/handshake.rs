//! The beginning of a connection: rustls speaks, this carries what it says.

use std::error::Error;
use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::unbuffered::{ConnectionState, EncodeError, InsufficientSizeError, UnbufferedStatus};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::tcp::Tcp;
use super::Sealed;
use super::keys::Keys;
use super::records::Records;

type BoxError = Box<dyn Error + Send + Sync>;

/// Most bytes of a server's part that are not understood yet: a chain of certificates may take 64 KiB and more.
const LONGEST: usize = 256 * 1024;
/// Read at a time, in bytes.
const READ: usize = 8 * 1024;

/// What rustls waits for.
enum Wish {
    Nothing,
    /// That all it has said is sent.
    Send,
    Read,
    Done,
}

/// Makes a sealed connection to `host`. `config` must allow secrets to be taken out ([`ClientConfig::enable_secret_extraction`]).
///
/// # Errors
/// When the connection breaks, or the server is not who it should be.
pub(in super::super) async fn handshake(
    mut tcp: Tcp,
    config: Arc<ClientConfig>,
    host: ServerName<'static>,
) -> Result<Sealed, BoxError> {
    let mut tls = UnbufferedClientConnection::new(config, host)?;
    let (mut heard, mut said) = (Vec::new(), Vec::new());
    loop {
        match advance(&mut tls, &mut heard, &mut said)? {
            Wish::Nothing => {}
            Wish::Send => tcp.write_all(&std::mem::take(&mut said)).await?,
            Wish::Read => read(&mut tcp, &mut heard).await?,
            Wish::Done => break,
        }
    }
    let suite = tls.negotiated_cipher_suite().ok_or(rustls::Error::HandshakeNotComplete)?;
    let (secrets, kept) = tls.dangerous_into_kernel_connection()?;
    let (keys, opener) = Keys::new(suite, secrets, kept)?;
    Ok(Sealed { tcp, keys, records: Records::new(opener, heard), carried: 0, broken: None })
}

/// One step of rustls.
fn advance(
    tls: &mut UnbufferedClientConnection,
    heard: &mut Vec<u8>,
    said: &mut Vec<u8>,
) -> Result<Wish, rustls::Error> {
    let UnbufferedStatus { discard, state } = tls.process_tls_records(heard);
    let wish = match state? {
        ConnectionState::EncodeTlsData(mut words) => {
            say(said, |room| words.encode(room))?;
            Wish::Nothing
        }
        ConnectionState::TransmitTlsData(transmit) => {
            // The caller sends before the next step.
            transmit.done();
            Wish::Send
        }
        ConnectionState::BlockedHandshake => Wish::Read,
        ConnectionState::WriteTraffic(_) => Wish::Done,
        // A server has nothing to say before it is asked.
        _ => return Err(rustls::Error::HandshakeNotComplete),
    };
    heard.drain(..discard);
    Ok(wish)
}

/// Appends what `encode` writes into as much room as it wants.
fn say(
    said: &mut Vec<u8>,
    mut encode: impl FnMut(&mut [u8]) -> Result<usize, EncodeError>,
) -> Result<(), rustls::Error> {
    let begin = said.len();
    loop {
        match encode(said.get_mut(begin..).unwrap_or_default()) {
            Ok(written) => {
                said.truncate(begin + written);
                return Ok(());
            }
            Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) => {
                said.resize(begin + required_size, 0);
            }
            Err(EncodeError::AlreadyEncoded) => return Err(rustls::Error::HandshakeNotComplete),
        }
    }
}

async fn read(tcp: &mut Tcp, heard: &mut Vec<u8>) -> io::Result<()> {
    if heard.len() >= LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    heard.reserve(READ);
    match tcp.read_buf(heard).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}
