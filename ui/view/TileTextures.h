#pragma once

#include "view/TileLoader.h"

#include <map>
#include <vtkSmartPointer.h>

class vtkOpenGLRenderWindow;
class vtkTextureObject;

namespace blendscope {

/// Textures of tiles on the graphics card, least recently used out first. All calls need the context.
class TileTextures {
public:
    explicit TileTextures(long long budgetBytes) : m_budget(budgetBytes) {}

    struct Tile {
        vtkTextureObject* texture = nullptr;
        TileKey key; ///< the tile itself or, while it is on its way, an ancestor
        bool plain = false;
    };

    void upload(vtkOpenGLRenderWindow* window, const TileLoader::Loaded& loaded);
    /// The tile or its nearest ancestor that is here, marked as used.
    [[nodiscard]] Tile find(const TileKey& key, int levels);
    [[nodiscard]] bool current(const TileKey& key, int generation) const;
    /// Drops the least recently used beyond the budget; what was used in this frame and the root stay.
    void endFrame(const TileKey& root);
    void clear();
    [[nodiscard]] long long bytes() const { return m_bytes; }

private:
    struct Entry {
        vtkSmartPointer<vtkTextureObject> texture;
        int generation = 0;
        bool plain = false;
        long long bytes = 0;
        long long used = 0;
    };
    std::map<TileKey, Entry> m_tiles;
    long long m_budget;
    long long m_bytes = 0;
    long long m_frame = 1;
};

} // namespace blendscope
