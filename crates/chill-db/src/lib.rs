//! What is stored: one SQL text on SQLite and PostgreSQL.
