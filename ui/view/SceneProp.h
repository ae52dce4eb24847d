#pragma once

#include "view/TileTextures.h"
#include "view/ViewTransform.h"
#include "view/ViewTypes.h"

#include <QPointF>
#include <vtkProp.h>
#include <vtkSmartPointer.h>

class vtkOpenGLRenderWindow;
class vtkShaderProgram;
class vtkTextureObject;

namespace blendscope {

/// The pixels of a scene with their stretch, and over them classes and the masks of objects and of the truth, tile by
/// tile in one pass of one shader. The one VTK prop of a view that has the size of the scene.
class SceneProp final : public vtkProp {
public:
    static SceneProp* New();
    vtkTypeMacro(SceneProp, vtkProp);
    SceneProp(const SceneProp&) = delete;
    SceneProp& operator=(const SceneProp&) = delete;

    /// Flags in the fourth byte of an id table.
    enum IdFlag : std::uint8_t { IdVisible = 1, IdDimmed = 2, IdSelected = 4 };
    static constexpr int kTableWidth = 1024;

    /// Makes the loaders; their `ready` is called from worker threads.
    void initialise(std::function<void()> ready);

    void setImage(TileReaderPtr reader, bool colours);
    void setIds(TileReaderPtr reader);
    void setTruth(TileReaderPtr reader);
    void setClasses(TileReaderPtr reader);
    /// CV_8UC4 [id / 1024, id % 1024]: red, green, blue, flags.
    void setIdTable(cv::Mat table);
    void setTruthTable(cv::Mat table);
    void setClassTable(cv::Mat table); ///< the fourth byte is an opacity
    void setDisplay(const ViewDisplay& display);
    void setStyle(const OverlayStyle& style) { m_style = style; }
    /// Pixels in which something selected lies; empty = nothing is selected.
    void setSelectionBox(const Box& box) { m_selectionBox = box; }
    /// The object that is lit up, 0 = none.
    void setHovered(int id) { m_hovered = id; }
    void setTransform(const ViewTransform& transform) { m_transform = transform; }
    void clear(); ///< nothing to show

    /// Puts arrived tiles on the graphics card for at most `milliseconds` and asks for what is missing. True while
    /// arrived tiles wait for the next frame. Needs the context.
    bool update(vtkOpenGLRenderWindow* window, double milliseconds);
    /// Tiles of the picture that are not on the graphics card yet, after update().
    [[nodiscard]] int missing() const { return m_missing; }
    [[nodiscard]] QString readError() const;

    int RenderOpaqueGeometry(vtkViewport* viewport) override;
    double* GetBounds() override;
    void ReleaseGraphicsResources(vtkWindow* window) override;

private:
    struct Layer {
        explicit Layer(long long budget) : textures(budget) {}
        std::unique_ptr<TileLoader> loader;
        TileTextures textures;
        std::vector<TileLoader::Loaded> arrived;
        bool clearing = false; ///< the tiles on the card are of another grid or kind
        cv::Size size;
    };

    SceneProp();
    ~SceneProp() override;

    static void setReader(Layer& layer, TileReaderPtr reader, bool keepTiles);
    int updateLayer(Layer& layer, vtkOpenGLRenderWindow* window, double& milliseconds);
    void uploadTable(vtkOpenGLRenderWindow* window, vtkSmartPointer<vtkTextureObject>& texture, cv::Mat& table);
    vtkShaderProgram* program(vtkOpenGLRenderWindow* window, int variant);
    void uploadColourMap(vtkOpenGLRenderWindow* window);

    Layer m_image, m_ids, m_truth, m_classes;
    bool m_colours = true;
    ViewDisplay m_display;
    OverlayStyle m_style;
    ViewTransform m_transform;
    Box m_selectionBox;
    int m_hovered = 0;
    int m_missing = 0;
    cv::Mat m_newIdTable, m_newTruthTable, m_newClassTable;
    vtkSmartPointer<vtkTextureObject> m_idTable, m_truthTable, m_classTable, m_colourMap;
    std::optional<DisplayMap> m_mapOnCard;
    std::map<int, vtkSmartPointer<vtkShaderProgram>>
        m_programs; ///< by variant: hashing the source costs more than a tile
    unsigned m_quad = 0, m_quadBuffer = 0;
    double m_bounds[6] = {};
};

} // namespace blendscope
