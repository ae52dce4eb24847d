#pragma once

#include "neural/Tensors.h"

#include <QMap>
#include <QString>

namespace blendscope {

/// A file of named arrays: a JSON header and raw little-endian numbers, never code. The format is that of
/// huggingface/safetensors (8 bytes of header length, header, data), so that Python reads and writes the same files.
struct Safetensors {
    Tensors tensors;                 ///< on the CPU, contiguous
    QMap<QString, QString> metadata; ///< "__metadata__" of the header

    /// Reads float32, float64, float16, bfloat16, int64, int32 and uint8. The header's length, every shape, offset and
    /// type is checked before anything is allocated; overlaps, holes and a file of another length are refused. Throws
    /// ReadError that names the file and what is wrong.
    [[nodiscard]] static Safetensors read(const QString& path);

    /// Writes beside the old file and renames, so that a crash at any moment leaves one of the two whole. Tensors of
    /// any device; the types of read(). Throws WriteError, UsageError.
    void write(const QString& path) const;
};

} // namespace blendscope
