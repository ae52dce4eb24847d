#pragma once

#include "view/ViewTypes.h"

#include <QImage>
#include <QWidget>
#include <memory>

namespace blendscope {

class SceneSamples;

/// The picture of a scene with everything that is drawn on it. Pixels are read in the background by tiles of a pyramid,
/// the stretch and the masks are computed in the shader, marks are one buffer a layer: cost follows the screen, not the
/// scene. Mouse: wheel zooms about the cursor (Ctrl: whole steps), left drag pans, click selects (a second click goes
/// through parent and children), Shift + left drag zooms to a box, middle drag pans, middle click recentres, right drag
/// is contrast and bias (double right-click resets them). Without OpenGL 3.2 the widget says so in words and keeps its
/// state. All functions belong to the GUI thread.
class SceneView final : public QWidget {
    Q_OBJECT

public:
    explicit SceneView(QWidget* parent = nullptr);
    ~SceneView() override;

    /// Call before QApplication: OpenGL 3.2 core profile as the default format, contexts shared between windows.
    static void prepareOpenGL();
    /// A sentence that says why pictures cannot be drawn here; empty when they can. Needs QApplication; found once.
    [[nodiscard]] static QString openGLProblem();

    /// Shows a scene (null: nothing), fitted to the view, with an automatic stretch. `samples` lets several views of
    /// one scene share what was read for the stretch.
    void setScene(ScenePtr scene, std::shared_ptr<SceneSamples> samples = {});
    /// The same grid with other pixels (a residual, a model): keeps camera, display, result and selection.
    void replaceScene(ScenePtr scene);
    [[nodiscard]] ScenePtr scene() const;
    [[nodiscard]] std::shared_ptr<SceneSamples> samples() const;

    /// Objects of a result (null: none). Cheap enough for partial results several times a second; colours and the
    /// selection stay where the ids stay.
    void setResult(ResultPtr result);
    [[nodiscard]] ResultPtr result() const;
    /// Objects that are drawn dimmed (filtered away in the table); empty = none.
    void setDimmedObjects(std::vector<int> ids);
    /// Positions that were given for deblending, image coordinates.
    void setPositions(std::vector<QPointF> positions);
    /// Judged blends to frame; empty = none.
    void setOutcomes(std::vector<OutcomeMark> marks);
    /// Colour in which an object is drawn, for tables and panels.
    [[nodiscard]] QColor objectColor(int objectId) const;

    [[nodiscard]] const ViewDisplay& display() const;
    /// Contrast, cuts, curve, map, stretch and Q cost uniforms only; other bands or weights load tiles again.
    void setDisplay(const ViewDisplay& display);
    /// RGB with the default weights and stretch of the scene.
    void showRgb();
    /// One band with automatic cuts (found in the background), other settings kept.
    void showBand(int band);
    /// Finds cuts from a sample of the band shown (in the background if it has not been read yet), then sets them.
    void autoCuts(CutsMode mode);
    void resetContrast();

    [[nodiscard]] const OverlayStyle& overlays() const;
    void setOverlays(const OverlayStyle& style);
    /// Words in the upper left corner ("g", "threshold+factorize").
    void setCaption(const QString& caption);
    [[nodiscard]] QString caption() const;

    [[nodiscard]] ViewCamera camera() const;
    void setCamera(const ViewCamera& camera);
    void fit();                                ///< the whole scene
    void setZoom(double zoom);                 ///< about the centre; 1 = one image pixel a screen pixel
    void zoomBy(double factor);                ///< about the centre
    enum class Framing { Exact, InsideScene }; ///< the box in the middle, or beside it rather than show no pixels
    /// Image coordinates; a margin is added.
    void zoomToBox(const QRectF& box, Framing framing = Framing::Exact, bool animate = true);
    void centreOn(QPointF image);
    void centreOnSelection(bool animate = true); ///< brings the selected object or blend into the middle
    [[nodiscard]] QRectF visibleBox() const;     ///< image coordinates, pixel edges at half-integers
    [[nodiscard]] QPointF toImage(QPointF widgetPoint) const;
    [[nodiscard]] QPointF toWidget(QPointF image) const;

    [[nodiscard]] ViewSelection selection() const;
    void setSelection(ViewSelection selection); ///< emits selectionChanged only where it differs

    /// The object, or the objects of the blend, that are lit up; the mouse sets it in this view, others may here.
    [[nodiscard]] ViewSelection hovered() const;
    void setHovered(ViewSelection hovered);

    /// Cursor cross of another, linked view; nothing = none.
    void setMirroredCursor(std::optional<QPointF> image);
    /// While on, pressing and dragging with the left button places something instead of panning and selecting.
    void setPlacing(bool on);
    /// A frozen read-out keeps its values while the cursor moves.
    void setReadoutFrozen(bool frozen);
    [[nodiscard]] const ViewReadout& readout() const;

    /// True when every tile that the view needs is on screen.
    [[nodiscard]] bool settled() const;
    /// Waits (processing events) until settled(); false after the time-out. For screenshots and tests.
    bool waitUntilSettled(int timeoutMs = 10000);
    /// The picture as seen, overlays included, in physical pixels.
    [[nodiscard]] QImage grabImage();
    /// Redraws `frames` times while panning, zooming and changing contrast; frames a second.
    [[nodiscard]] double benchmark(int frames = 60);

    [[nodiscard]] QSize sizeHint() const override;

Q_SIGNALS:
    void cameraChanged(const blendscope::ViewCamera& camera);
    void displayChanged(const blendscope::ViewDisplay& display); ///< also when an automatic stretch is ready
    void overlaysChanged();
    void readoutChanged(const blendscope::ViewReadout& readout);
    void cursorMoved(QPointF image); ///< by the mouse in this view
    void cursorLeft();
    void selectionChanged(blendscope::ViewSelection selection); ///< by a click or by setSelection
    void hoveredChanged(blendscope::ViewSelection hovered);     ///< by the mouse in this view
    void placed(QPointF image, bool released);                  ///< while placing is on
    void clicked(QPointF image);                                ///< left click, after what it selected
    void objectActivated(blendscope::ViewSelection selection);  ///< double click
    void menuRequested(QPoint globalPosition, QPointF image);   ///< right click without moving

protected:
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace blendscope
