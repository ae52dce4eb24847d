#include "judge/ThumbnailMaker.h"

#include "jobs/TaskPool.h"
#include "view/Mailbox.h"

#include <deque>
#include <mutex>
#include <set>
#include <vector>

namespace blendscope {

namespace {

constexpr std::size_t kMostWaiting = 400;
constexpr int kCacheKilobytes = 64 * 1024;

QString keyOf(const Box& b) {
    return QStringLiteral("%1 %2 %3 %4").arg(b.x0).arg(b.y0).arg(b.width).arg(b.height);
}

} // namespace

struct ThumbnailMaker::State {
    mutable std::mutex mutex;
    MailboxPtr mail;
    ScenePtr scene;
    RgbSettings rgb;
    std::shared_ptr<const ThumbnailLook> look; ///< found with the first picture
    int generation = 0;
    std::deque<Box> waiting; ///< newest last
    std::set<QString> asked; ///< waiting or being made
    std::vector<std::pair<QString, QImage>> made;
    bool posted = false;
    int working = 0;
};

ThumbnailMaker::ThumbnailMaker(QObject* parent)
    : QObject(parent), m_state(std::make_shared<State>()), m_cache(kCacheKilobytes) {
    m_state->mail = std::make_shared<Mailbox>(this);
}

ThumbnailMaker::~ThumbnailMaker() {
    m_state->mail->close();
    const std::lock_guard lock(m_state->mutex);
    m_state->waiting.clear();
}

void ThumbnailMaker::setScene(ScenePtr scene, const RgbSettings& rgb) {
    const std::lock_guard lock(m_state->mutex);
    m_state->scene = std::move(scene);
    m_state->rgb = rgb;
    m_state->look.reset();
    ++m_state->generation;
    m_state->waiting.clear();
    m_state->asked.clear();
    m_state->made.clear();
    m_cache.clear();
}

QImage ThumbnailMaker::thumbnail(const Box& box) {
    if (const QImage* known = m_cache.object(keyOf(box))) return *known;
    ask(box);
    return {};
}

bool ThumbnailMaker::idle() const {
    const std::lock_guard lock(m_state->mutex);
    return m_state->waiting.empty() && m_state->working == 0 && m_state->made.empty();
}

void ThumbnailMaker::ask(const Box& box) {
    const std::lock_guard lock(m_state->mutex);
    if (!m_state->scene || !m_state->asked.insert(keyOf(box)).second) return;
    m_state->waiting.push_back(box);
    if (m_state->waiting.size() > kMostWaiting) {
        m_state->asked.erase(keyOf(m_state->waiting.front()));
        m_state->waiting.pop_front();
    }
    if (m_state->working >= std::max(1, TaskPool::shared().threads() - 1)) return;
    ++m_state->working;
    TaskPool::shared().submit(
        [state = m_state, maker = this] {
            for (;;) {
                ScenePtr scene;
                std::shared_ptr<const ThumbnailLook> look;
                RgbSettings rgb;
                Box next;
                int generation = 0;
                {
                    const std::lock_guard inner(state->mutex);
                    if (state->waiting.empty() || !state->scene) {
                        --state->working;
                        return;
                    }
                    next = state->waiting.back();
                    state->waiting.pop_back();
                    scene = state->scene;
                    look = state->look;
                    rgb = state->rgb;
                    generation = state->generation;
                }
                QImage image;
                try {
                    if (!look) look = std::make_shared<const ThumbnailLook>(thumbnailLook(*scene, rgb));
                    image = blendThumbnail(*scene, next, *look, kSide);
                } catch (const std::exception&) {
                    image = QImage(1, 1, QImage::Format_RGB32); // unreadable: an empty tile, asked for once
                    image.fill(Qt::black);
                }
                const std::lock_guard inner(state->mutex);
                if (generation != state->generation) continue;
                state->look = look;
                state->made.emplace_back(keyOf(next), image);
                if (!std::exchange(state->posted, true)) state->mail->post([maker] { maker->collect(); });
            }
        },
        TaskPool::OnScreen);
}

void ThumbnailMaker::collect() {
    std::vector<std::pair<QString, QImage>> made;
    {
        const std::lock_guard lock(m_state->mutex);
        made.swap(m_state->made);
        m_state->posted = false;
        for (const auto& [key, image] : made) {
            m_state->asked.erase(key);
        }
    }
    for (const auto& [key, image] : made) {
        m_cache.insert(key, new QImage(image), std::max(1, int(image.sizeInBytes() / 1024)));
    }
    if (!made.empty()) Q_EMIT ready();
}

} // namespace blendscope
