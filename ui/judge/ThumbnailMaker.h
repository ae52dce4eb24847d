#pragma once

#include "core/Scene.h"
#include "figure/BlendThumbnail.h"

#include <QCache>
#include <QImage>
#include <QObject>
#include <memory>

namespace blendscope {

/// Thumbnails of a scene's blends, made by background threads and kept as long as there is room. What was asked for
/// last is made first, and what scrolled away long ago is forgotten. Lives in the GUI thread.
class ThumbnailMaker final : public QObject {
    Q_OBJECT

public:
    static constexpr int kSide = 112;

    explicit ThumbnailMaker(QObject* parent = nullptr);
    ~ThumbnailMaker() override;

    /// Another scene, or other colours of it: all pictures are made again.
    void setScene(ScenePtr scene, const RgbSettings& rgb = {});
    /// The picture of a box; null while it is being made, `ready` comes then.
    [[nodiscard]] QImage thumbnail(const Box& box);
    [[nodiscard]] bool idle() const; ///< nothing is being made

Q_SIGNALS:
    void ready(); ///< further pictures are there; several of them make one signal

private:
    struct State;
    void ask(const Box& box);
    void collect();

    std::shared_ptr<State> m_state;
    QCache<QString, QImage> m_cache;
};

} // namespace blendscope
