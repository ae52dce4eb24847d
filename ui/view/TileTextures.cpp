#include "view/TileTextures.h"

#include <QOpenGLContext>
#include <vtkOpenGLRenderWindow.h>
#include <vtkTextureObject.h>

namespace blendscope {

void TileTextures::upload(vtkOpenGLRenderWindow* window, const TileLoader::Loaded& loaded) {
    Entry& entry = m_tiles[loaded.key];
    m_bytes -= entry.bytes;
    entry = {};
    entry.generation = loaded.generation;
    entry.plain = loaded.plain;
    entry.used = m_frame;
    if (loaded.pixels.empty()) return; // failed: an entry without texture is not asked for again
    const cv::Mat& p = loaded.pixels;
    auto texture = vtkSmartPointer<vtkTextureObject>::New();
    texture->SetContext(window);
    texture->SetWrapS(vtkTextureObject::ClampToEdge);
    texture->SetWrapT(vtkTextureObject::ClampToEdge);
    const bool ids = p.depth() == CV_32S;
    texture->SetMinificationFilter(ids ? vtkTextureObject::Nearest : vtkTextureObject::Linear);
    texture->SetMagnificationFilter(ids ? vtkTextureObject::Nearest : vtkTextureObject::Linear);
    if (ids) {
        texture->SetInternalFormat(GL_R32I);
        texture->SetFormat(GL_RED_INTEGER);
        texture->SetDataType(GL_INT);
    }
    texture->Create2DFromRaw(static_cast<unsigned>(p.cols), static_cast<unsigned>(p.rows), p.channels(),
                             ids ? VTK_INT : VTK_FLOAT, p.data);
    entry.texture = texture;
    entry.bytes = static_cast<long long>(p.total() * p.elemSize());
    m_bytes += entry.bytes;
}

TileTextures::Tile TileTextures::find(const TileKey& key, int levels) {
    for (TileKey k = key; k.level < levels; k = TileGeometry::parent(k)) {
        const auto it = m_tiles.find(k);
        if (it == m_tiles.end()) continue;
        it->second.used = m_frame;
        if (it->second.texture) return {it->second.texture, k, it->second.plain};
    }
    return {};
}

bool TileTextures::current(const TileKey& key, int generation) const {
    const auto it = m_tiles.find(key);
    return it != m_tiles.end() && it->second.generation == generation;
}

void TileTextures::endFrame(const TileKey& root) {
    while (m_bytes > m_budget) {
        auto oldest = m_tiles.end();
        for (auto it = m_tiles.begin(); it != m_tiles.end(); ++it) {
            if (it->second.used == m_frame || it->first == root) continue;
            if (oldest == m_tiles.end() || it->second.used < oldest->second.used) oldest = it;
        }
        if (oldest == m_tiles.end()) break;
        m_bytes -= oldest->second.bytes;
        m_tiles.erase(oldest);
    }
    ++m_frame;
}

void TileTextures::clear() {
    m_tiles.clear();
    m_bytes = 0;
}

} // namespace blendscope
