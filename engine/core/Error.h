#pragma once

#include <QString>
#include <stdexcept>

namespace blendscope {

/// Base of every failure that the engine reports. The text is one sentence for a person; the window and the command
/// line are the only places that turn it into something visible.
class Error : public std::runtime_error {
public:
    explicit Error(const QString& message) : std::runtime_error(message.toStdString()) {}
    [[nodiscard]] QString message() const { return QString::fromUtf8(what()); }
};

/// A file cannot be read or is not what it says it is.
class ReadError : public Error {
public:
    using Error::Error;
};

/// A file or folder cannot be written; what was there before is intact.
class WriteError : public Error {
public:
    using Error::Error;
};

/// The caller asked for something that does not exist or does not fit (unknown method, parameter out of range).
class UsageError : public Error {
public:
    using Error::Error;
};

/// A method could not do its work.
class MethodError : public Error {
public:
    using Error::Error;
};

/// Work was stopped on request; thrown from Progress::advance.
class CancelledError : public Error {
public:
    CancelledError() : Error(QStringLiteral("cancelled")) {}
};

} // namespace blendscope
