#pragma once

#include "method/Method.h"
#include "method/Training.h"

#include <memory>
#include <mutex>
#include <vector>

namespace blendscope {

/// What method.json says: readable without loading any code.
/// {"id": "threshold", "title": "...", "description": "...", "citation": "...", "version": "1.0",
///  "stages": ["detect"], "bands": {"minimum": 1, "maximum": 0}, "needs_psf": false, "device": false, "trainable":
///  false, "parameters": [{"key": "DETECT_THRESH", "title": "...", "type": "real", "default": 1.5, "minimum": 0,
///  "maximum": 100,
///                  "unit": "sigma", "help": "...", "advanced": false}, {"key": ..., "type": "choice", "choices":
///                  [...]}]}
struct MethodInfo {
    QString id; ///< the folder's name: "threshold"
    QString title;
    QString description;
    QString citation;
    QStringList stages; ///< of detect, deblend, measure, classify, count
    int minBands = 1;
    int maxBands = 0; ///< 0 = any
    bool needsPsf = false;
    bool device = false;    ///< can use a GPU
    bool trainable = false; ///< blend train can train it
    QString version;
    std::vector<ParameterInfo> parameters;
    QString folder;  ///< where method.json and model/ are; of a TorchScript model, its JSON file
    QString module;  ///< the library with its code
    QString script;  ///< the TorchScript file, which must be trusted (Trust); empty for other methods
    QString problem; ///< why it cannot be used, a sentence; empty = usable as far as known without loading
    [[nodiscard]] bool does(const QString& stage) const { return stages.contains(stage); }
};

/// The installed methods. Scans folders for method.json; a broken one is listed with its problem and harms no other.
/// A TorchScript file with a JSON file beside it is a method too: NAME.json in a folder of models holds what
/// method.json does (its id is NAME) and "torchscript" besides, see resources/manual/torchscript.md. The method whose
/// method.json says "runs": "torchscript" runs it, and is not listed itself.
class Registry {
public:
    /// Folders with methods: BLENDSCOPE_PLUGIN_PATH (':'-separated) first, then the one that belongs to the engine
    /// library (build tree or installation).
    [[nodiscard]] static QStringList defaultFolders();

    /// Folders with TorchScript models: BLENDSCOPE_MODEL_PATH (':'-separated), then blendscope/models of the user's
    /// data
    /// (~/.local/share).
    [[nodiscard]] static QStringList defaultModelFolders();

    explicit Registry(const QStringList& folders = defaultFolders(),
                      const QStringList& modelFolders = defaultModelFolders());

    [[nodiscard]] const std::vector<MethodInfo>& methods() const { return m_methods; } ///< sorted by id
    [[nodiscard]] const MethodInfo* find(const QString& id) const;                     ///< null if absent

    /// Loads the module and makes an instance. Throws UsageError (unknown) or MethodError (cannot be loaded, another
    /// ABI version).
    [[nodiscard]] std::unique_ptr<Method> create(const QString& id) const;

    /// The same for training. Throws UsageError (unknown, or one that cannot be trained, naming those that can),
    /// MethodError.
    [[nodiscard]] std::unique_ptr<TrainableMethod> createTrainable(const QString& id) const;

private:
    std::vector<MethodInfo> m_methods;
};

/// Where resources (surveys, demo, manual) live: BLENDSCOPE_DATA_DIR of the environment, or beside the engine library.
[[nodiscard]] QString resourceFolder();

/// The version of the engine, "0.1.0".
[[nodiscard]] QString engineVersion();

} // namespace blendscope
