#pragma once

#include "core/Error.h"
#include "core/Result.h"
#include "core/Scene.h"
#include "jobs/Progress.h"
#include "method/Parameters.h"

#include <functional>

namespace blendscope {

/// One finished blend.
struct BlendResult {
    Blend blend;
    std::vector<Object> objects;
    std::vector<Component> components;
    Box box;        ///< of labels, scene pixels
    cv::Mat labels; ///< CV_32S of `box`: object ids, 0 = none
};

/// What a method may use besides its input. Owned by the host, valid during run().
struct MethodContext {
    Progress* progress = nullptr;            ///< never null
    int threads = 0;                         ///< 0 = all of TaskPool::shared()
    QString device = QStringLiteral("auto"); ///< auto | cpu | cuda[:n]
    QString folder;                          ///< MethodInfo::folder: of method.json, and model/ where it has one
    /// Live partial results; may be empty. Called by the host from any thread, never after run() returns.
    std::function<void(const BlendResult&)> publish;
    std::function<void(const QString&)> warn; ///< a sentence for the user and run.json; never empty
};

/// An algorithm that detects, deblends or measures. One instance serves one run; run() may use many threads.
class Method {
public:
    virtual ~Method() = default;

    /// `input` holds what earlier stages found (empty for the first). Returns the input with whatever this method
    /// fills in; what it does not touch it passes on. Throws MethodError, UsageError or CancelledError.
    virtual Result run(const Scene& scene, Result input, const Parameters& parameters, MethodContext& context) = 0;
};

/// Rises whenever Method, Result, Scene or the deblending interface change their layout.
inline constexpr int kMethodAbi = 3;

} // namespace blendscope

/// Put once in a method's source file, with the class in full: makes the module loadable.
#define BLENDSCOPE_METHOD(Class)                                                                                       \
    extern "C" __attribute__((visibility("default"))) int blendscopeMethodAbi() {                                      \
        return blendscope::kMethodAbi;                                                                                 \
    }                                                                                                                  \
    extern "C" __attribute__((visibility("default"))) blendscope::Method* blendscopeCreateMethod() {                   \
        return new Class;                                                                                              \
    }
