//! The keys of a connection: made by the handshake, and made anew where the origin wants it (RFC 8446 §4.6).

use std::fmt;
use std::io;

use rustls::client::ClientConnectionData;
use rustls::crypto::cipher::{AeadKey, Iv, MessageEncrypter, OutboundChunks, OutboundPlainMessage};
use rustls::kernel::KernelConnection;
use rustls::{
    ConnectionTrafficSecrets, ContentType, ExtractedSecrets, HandshakeType, ProtocolVersion, SupportedCipherSuite,
};

use super::records::{LARGEST, Opener, invalid};

/// Type and length of a message about the connection.
const HEAD: usize = 4;
/// The longest one: a ticket may have 64 KiB (RFC 8446 §4.6.1).
const LONGEST: usize = 72 * 1024;
/// New keys for our direction, and no wish for others (RFC 8446 §4.6.3).
const KEY_UPDATE: [u8; 5] = [24, 0, 0, 1, 0];

/// What rustls keeps of a connection, and what seals our records.
pub(super) struct Keys {
    suite: SupportedCipherSuite,
    kept: KernelConnection<ClientConnectionData>,
    sealer: Box<dyn MessageEncrypter>,
    next: u64,
    /// The origin wants new keys from us too.
    owes_update: bool,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("suite", &self.suite.suite()).finish_non_exhaustive()
    }
}

impl Keys {
    /// The keys of a handshake, and what opens the origin's records.
    ///
    /// # Errors
    /// When rustls agreed on a cipher that has no name here.
    pub(super) fn new(
        suite: SupportedCipherSuite,
        secrets: ExtractedSecrets,
        kept: KernelConnection<ClientConnectionData>,
    ) -> Result<(Self, Opener), rustls::Error> {
        let ExtractedSecrets { tx: (next, ours), rx: theirs } = secrets;
        let sealer = sealer(suite, ours)?;
        Ok((Self { suite, kept, sealer, next, owes_update: false }, opener(suite, theirs)?))
    }

    /// Acts on all whole messages, and takes them away; gives what opens the records behind them, where that changes.
    ///
    /// # Errors
    /// For a message that has no place behind a handshake.
    pub(super) fn hear(&mut self, messages: &mut Vec<u8>) -> io::Result<Option<Opener>> {
        let mut changed = None;
        while let [kind, a, b, c, rest @ ..] = messages.as_slice() {
            let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
            if length > LONGEST {
                return Err(invalid());
            }
            let Some(body) = rest.get(..length) else { break };
            match (HandshakeType::from(*kind), body) {
                (HandshakeType::NewSessionTicket, ticket) => {
                    self.kept.handle_new_session_ticket(ticket).map_err(|_| invalid())?;
                }
                // Nothing may stand behind it under the old key (RFC 8446 §5.1).
                (HandshakeType::KeyUpdate, [wanted @ (0 | 1)]) if rest.len() == 1 => {
                    self.owes_update |= *wanted == 1;
                    let secrets = self.kept.update_rx_secret().map_err(|_| invalid())?;
                    changed = Some(opener(self.suite, secrets).map_err(|_| invalid())?);
                }
                _ => return Err(invalid()),
            }
            messages.drain(..HEAD + length);
        }
        Ok(changed)
    }

    /// Seals what is to be said.
    ///
    /// # Errors
    /// When rustls cannot.
    pub(super) fn seal(&mut self, text: &[u8]) -> io::Result<Vec<u8>> {
        let mut sealed = Vec::with_capacity(text.len() + 64);
        if std::mem::take(&mut self.owes_update) {
            // Due before the next thing that is said, and no sooner.
            self.seal_one(ContentType::Handshake, &KEY_UPDATE, &mut sealed)?;
            let (next, secrets) = self.kept.update_tx_secret().map_err(|_| invalid())?;
            (self.sealer, self.next) = (sealer(self.suite, secrets).map_err(|_| invalid())?, next);
        }
        for piece in text.chunks(LARGEST) {
            self.seal_one(ContentType::ApplicationData, piece, &mut sealed)?;
        }
        Ok(sealed)
    }

    fn seal_one(&mut self, typ: ContentType, piece: &[u8], to: &mut Vec<u8>) -> io::Result<()> {
        let payload = OutboundChunks::Single(piece);
        let plain = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload };
        let record = self.sealer.encrypt(plain, self.next).map_err(|_| invalid())?;
        self.next += 1;
        to.extend_from_slice(&record.encode());
        Ok(())
    }
}

fn key_of(secrets: ConnectionTrafficSecrets) -> Result<(AeadKey, Iv), rustls::Error> {
    match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv }
        | ConnectionTrafficSecrets::Aes256Gcm { key, iv }
        | ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => Ok((key, iv)),
        _ => Err(rustls::Error::General("a cipher without a name".to_owned())),
    }
}

fn opener(
    suite: SupportedCipherSuite,
    (next, secrets): (u64, ConnectionTrafficSecrets),
) -> Result<Opener, rustls::Error> {
    let (key, iv) = key_of(secrets)?;
    Ok(match suite {
        SupportedCipherSuite::Tls13(suite) => {
            Opener { key: suite.aead_alg.decrypter(key, iv), next, only: Some(ContentType::ApplicationData) }
        }
        SupportedCipherSuite::Tls12(suite) => {
            let fixed = suite.aead_alg.key_block_shape().fixed_iv_len;
            let iv = iv.as_ref().get(..fixed).unwrap_or_default();
            Opener { key: suite.aead_alg.decrypter(key, iv), next, only: None }
        }
    })
}

fn sealer(
    suite: SupportedCipherSuite,
    secrets: ConnectionTrafficSecrets,
) -> Result<Box<dyn MessageEncrypter>, rustls::Error> {
    let (key, iv) = key_of(secrets)?;
    Ok(match suite {
        SupportedCipherSuite::Tls13(suite) => suite.aead_alg.encrypter(key, iv),
        SupportedCipherSuite::Tls12(suite) => {
            let fixed = suite.aead_alg.key_block_shape().fixed_iv_len;
            let (fixed, explicit) = iv.as_ref().split_at_checked(fixed).unwrap_or_default();
            suite.aead_alg.encrypter(key, fixed, explicit)
        }
    })
}
