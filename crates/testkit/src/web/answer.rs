//! What a host answers, byte by byte where that matters.

/// An answer as it goes over the wire, and what becomes of the connection then.
#[derive(Clone, Debug)]
pub struct WebAnswer {
    status: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    length: Length,
    raw: Option<Vec<u8>>,
    pub(super) end: End,
}

/// How an answer says where its body ends.
#[derive(Clone, Copy, Debug)]
enum Length {
    /// By `Content-Length`, that many bytes more than there are.
    Stated { beyond: usize },
    /// By the end of the connection.
    Unstated,
}

/// What comes after the last byte.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// The connection is closed.
    Close,
    /// One byte comes after another, without end.
    Drip,
    /// Nothing, and the connection stays open.
    Silence,
    /// The connection is closed, and the answer began only once it was released.
    Held,
}

impl WebAnswer {
    /// A JSON document.
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::document("application/json", body)
    }

    /// A document of the content type.
    pub fn document(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::untyped(body).header("Content-Type", content_type)
    }

    /// A document of no content type.
    pub fn untyped(body: impl Into<Vec<u8>>) -> Self {
        let length = Length::Stated { beyond: 0 };
        Self {
            status: "200 OK".to_owned(),
            headers: Vec::new(),
            body: body.into(),
            length,
            raw: None,
            end: End::Close,
        }
    }

    /// A redirect to the address.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::json("{}").status(status).header("Location", location)
    }

    /// The same answer under another status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = format!("{status} Scripted");
        self
    }

    /// One header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Does not say how long the body is.
    #[must_use]
    pub fn of_unstated_length(mut self) -> Self {
        self.length = Length::Unstated;
        self
    }

    /// Closes the connection before the body is complete.
    #[must_use]
    pub fn broken_off(mut self) -> Self {
        self.length = Length::Stated { beyond: 1 };
        self
    }

    /// Goes on after the body, a blank at a time, without end.
    #[must_use]
    pub fn dripping(mut self) -> Self {
        self.length = Length::Unstated;
        self.end = End::Drip;
        self
    }

    /// These bytes and nothing else, whether HTTP or not.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { raw: Some(bytes.into()), ..Self::untyped("") }
    }

    /// Says nothing at all, and keeps the connection open.
    pub fn silent() -> Self {
        Self { end: End::Silence, ..Self::raw("") }
    }

    /// Begins a header, and goes on with it without end.
    pub fn dripping_headers() -> Self {
        Self { end: End::Drip, ..Self::raw("HTTP/1.1 200 OK\r\nX-Slow: a") }
    }

    /// Answers only when [`FakeWeb::release`](crate::FakeWeb::release) lets it.
    #[must_use]
    pub fn held(mut self) -> Self {
        self.end = End::Held;
        self
    }

    /// The bytes of the answer.
    pub(super) fn bytes(&self) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let mut head = vec![format!("HTTP/1.1 {}", self.status), "Connection: close".to_owned()];
        head.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        if let Length::Stated { beyond } = self.length {
            head.push(format!("Content-Length: {}", self.body.len() + beyond));
        }
        [head.join("\r\n").as_bytes(), b"\r\n\r\n", &self.body].concat()
    }
}
