#include "window/ViewArea.h"

#include "view/BandGrid.h"
#include "view/SceneView.h"
#include "view/ViewGroup.h"

#include <QSplitter>
#include <QStackedLayout>
#include <QTimer>
#include <cmath>

namespace blendscope {

ViewArea::ViewArea(Document* document, QWidget* parent)
    : QWidget(parent), m_document(document), m_main(new SceneView), m_group(new ViewGroup(this)),
      m_splitter(new QSplitter(Qt::Horizontal)), m_stack(new QStackedLayout(this)) {
    m_splitter->setChildrenCollapsible(false);
    m_splitter->setHandleWidth(3);
    m_splitter->addWidget(m_main);
    m_stack->setContentsMargins(0, 0, 0, 0);
    m_stack->addWidget(m_splitter);
    m_main->setOverlays(m_style);
    m_group->setDisplayLinked(true);
    m_group->setSelectionLinked(false); // ids of two results mean different objects
    m_group->add(m_main);
    connectView(m_main);
    connect(m_main, &SceneView::displayChanged, this, &ViewArea::displayChanged);
    connect(m_main, &SceneView::selectionChanged, this, [this](ViewSelection s) {
        if (m_busy) return;
        m_busy = true;
        m_document->setSelection({s.blend, s.object});
        m_busy = false;
    });
    connect(m_document, &Document::currentSceneChanged, this, &ViewArea::onScene);
    connect(m_document, &Document::currentResultChanged, this, &ViewArea::onResult);
    connect(m_document, &Document::resultUpdated, this, &ViewArea::onResult);
    connect(m_document, &Document::resultsChanged, this, &ViewArea::onResult);
    connect(m_document, &Document::selectionChanged, this, &ViewArea::onSelection);
    connect(m_document, &Document::hoveredChanged, this, &ViewArea::onHover);
    connect(m_main, &SceneView::hoveredChanged, this, [this](ViewSelection h) {
        m_document->setHovered({h.blend, h.object});
    });
}

ViewArea::~ViewArea() = default;

void ViewArea::connectView(SceneView* view) {
    connect(view, &SceneView::readoutChanged, this, &ViewArea::readoutChanged);
    connect(view, &SceneView::menuRequested, this, &ViewArea::menuRequested);
    connect(view, &SceneView::clicked, this, &ViewArea::clicked);
    connect(view, &SceneView::placed, this, &ViewArea::placed);
    connect(view, &SceneView::objectActivated, this, [this] { showSelection(true); });
    connect(view, &SceneView::overlaysChanged, this, [this, view] {
        if (m_busy) return;
        m_style = view->overlays();
        Q_EMIT overlaysChanged();
    });
}

void ViewArea::onScene() {
    const SceneEntry* e = m_document->current();
    m_scene = e ? e->scene : nullptr;
    m_singleBand = -1;
    m_busy = true;
    dropSecond();
    m_main->setResult(nullptr);
    m_main->setScene(m_scene, e ? e->samples : nullptr);
    m_busy = false;
    if (m_scene) {
        if (m_mode == Mode::Grid && m_scene->bands.size() > 1) {
            m_grid->setScene(m_scene, e->samples);
        } else {
            m_stack->setCurrentWidget(m_splitter);
            m_mode = m_main->display().rgb && m_scene->bands.size() > 1 ? Mode::Rgb : Mode::Single;
        }
    }
    OverlayStyle style = m_style;
    style.truth = style.truth && m_scene && m_scene->truth.has_value();
    setOverlays(style);
    Q_EMIT modeChanged();
}

ResultPtr ViewArea::other() const {
    const ResultEntry* e = m_document->resultEntry(m_otherResult);
    return e ? e->result : nullptr;
}

void ViewArea::onResult() {
    m_busy = true;
    if (m_main->result() != m_document->result()) m_main->setResult(m_document->result());
    if (m_second) {
        // The other side keeps its result unless that one is shown on the left now.
        const SceneEntry* scene = m_document->current();
        const ResultEntry* now = m_document->currentResult();
        int another = 0;
        bool keeps = false;
        if (scene && now) {
            for (const auto& r : scene->results) {
                if (r->id == now->id) continue;
                another = r->id;
                keeps = keeps || r->id == m_otherResult;
            }
        }
        if (!keeps) m_otherResult = another;
        if (m_otherResult == 0) {
            dropSecond();
        } else if (m_second->result() != other()) {
            m_second->setResult(other());
        }
    }
    if (m_grid && m_mode == Mode::Grid) m_grid->setResult(m_document->result());
    m_busy = false;
    refreshCaptions();
    onSelection();
}

void ViewArea::onSelection() {
    if (m_busy) return;
    m_busy = true;
    const Selection s = m_document->selection();
    m_main->setSelection({s.object, s.blend});
    if (m_grid && m_mode == Mode::Grid) m_grid->setSelection({s.object, s.blend});
    markCounterpart();
    m_busy = false;
}

void ViewArea::onHover() {
    const Selection h = m_document->hovered();
    m_main->setHovered({h.object, h.blend});
    if (m_grid && m_mode == Mode::Grid) {
        for (SceneView* v : m_grid->views()) {
            v->setHovered({h.object, h.blend});
        }
    }
    if (!m_second) return;
    const ResultPtr left = m_document->result(), right = other();
    const Selection there = left && right ? Document::counterpart(h, *left, *right) : Selection{};
    m_second->setHovered({there.object, there.blend});
}

void ViewArea::markCounterpart() {
    if (!m_second) return;
    const ResultPtr left = m_document->result(), right = other();
    const Selection s = left && right ? Document::counterpart(m_document->selection(), *left, *right) : Selection{};
    m_second->setSelection({s.object, s.blend});
}

void ViewArea::refreshCaptions() {
    const ResultEntry* e = m_document->currentResult();
    m_main->setCaption(m_second && e ? e->name : QString());
    if (m_second) {
        const ResultEntry* o = m_document->resultEntry(m_otherResult);
        m_second->setCaption(o ? o->name : QString());
    }
}

void ViewArea::setMode(Mode mode) {
    if (!m_scene) return;
    if (m_scene->bands.size() < 2) mode = Mode::Single;
    const SceneEntry* e = m_document->current();
    m_mode = mode;
    m_busy = true;
    if (mode == Mode::Grid) {
        dropSecond();
        if (!m_grid) {
            m_grid = new BandGrid;
            m_stack->addWidget(m_grid);
            connect(m_grid, &BandGrid::selectionChanged, this, [this](ViewSelection s) {
                if (m_busy) return;
                m_document->setSelection({s.blend, s.object});
            });
            connect(m_grid, &BandGrid::hoveredChanged, this, [this](ViewSelection h) {
                m_document->setHovered({h.blend, h.object});
            });
            connect(m_grid, &BandGrid::readoutChanged, this, &ViewArea::readoutChanged);
        }
        m_grid->setScene(m_scene, e ? e->samples : nullptr);
        m_grid->setOverlays(m_style);
        m_grid->setResult(m_document->result());
        const Selection s = m_document->selection();
        m_grid->setSelection({s.object, s.blend});
        m_stack->setCurrentWidget(m_grid);
        // The panels look where the large picture looked; they have their size only after the layout.
        const ViewCamera camera = m_main->camera();
        const double wide = m_main->width();
        QTimer::singleShot(0, this, [this, camera, wide] {
            if (m_mode != Mode::Grid || m_grid->views().empty()) return;
            SceneView* first = m_grid->views().front();
            first->setCamera({camera.centre, camera.zoom * first->width() / std::max(1.0, wide)});
        });
    } else {
        m_stack->setCurrentWidget(m_splitter);
        if (mode == Mode::Rgb && !m_main->display().rgb) m_main->showRgb();
        if (mode == Mode::Single && m_main->display().rgb) {
            if (m_singleBand < 0) {
                // First the middle of the optical: the bluest band shows least.
                double nearest = 1e30;
                for (std::size_t b = 0; b < m_scene->bands.size(); ++b) {
                    const double away = std::abs(m_scene->bands[b].wavelength - 750.0);
                    if (away < nearest) {
                        nearest = away;
                        m_singleBand = int(b);
                    }
                }
            }
            m_main->showBand(std::max(0, m_singleBand));
        }
    }
    m_busy = false;
    Q_EMIT modeChanged();
    Q_EMIT displayChanged();
}

void ViewArea::showBand(int band) {
    if (!m_scene || band < 0 || band >= int(m_scene->bands.size())) return;
    m_singleBand = band;
    m_main->showBand(band);
    setMode(Mode::Single);
}

const ViewDisplay& ViewArea::display() const {
    return m_main->display();
}

void ViewArea::setDisplay(const ViewDisplay& display) {
    if (m_mode == Mode::Grid && m_grid) {
        // Every panel keeps its own band and cuts; the look is common.
        for (SceneView* v : m_grid->views()) {
            ViewDisplay d = v->display();
            d.curve = display.curve;
            d.curveParameter = display.curveParameter;
            d.map = display.map;
            if (d.rgb) d.rgbSettings = display.rgbSettings;
            v->setDisplay(d);
        }
    }
    m_main->setDisplay(display);
}

void ViewArea::autoCuts(CutsMode mode) {
    if (m_mode == Mode::Grid && m_grid) {
        for (SceneView* v : m_grid->views()) {
            if (!v->display().rgb) v->autoCuts(mode);
        }
        return;
    }
    m_main->autoCuts(mode);
}

void ViewArea::resetColours() {
    m_main->showRgb();
    m_main->resetContrast();
    Q_EMIT displayChanged();
}

void ViewArea::setOverlays(const OverlayStyle& style) {
    m_style = style;
    m_busy = true;
    m_main->setOverlays(style);
    if (m_second) m_second->setOverlays(style);
    if (m_grid) m_grid->setOverlays(style);
    m_busy = false;
    Q_EMIT overlaysChanged();
}

void ViewArea::setPlacing(bool on) {
    m_main->setPlacing(on);
    if (m_second) m_second->setPlacing(on);
}

void ViewArea::showInstead(ScenePtr scene) {
    if (!m_scene) return;
    if (!scene) scene = m_scene;
    if (m_main->scene() != scene) m_main->replaceScene(std::move(scene));
}

void ViewArea::setOutcomes(std::vector<OutcomeMark> marks, std::vector<OutcomeMark> beside) {
    if (m_grid) {
        for (SceneView* v : m_grid->views()) {
            v->setOutcomes(marks);
        }
    }
    m_main->setOutcomes(std::move(marks));
    if (m_second) m_second->setOutcomes(std::move(beside));
}

void ViewArea::setDimmed(const std::vector<int>& objectIds) {
    m_main->setDimmedObjects(objectIds);
}

void ViewArea::dropSecond() {
    if (!m_second) return;
    m_group->remove(m_second);
    delete m_second;
    m_second = nullptr;
    m_otherResult = 0;
    refreshCaptions();
    Q_EMIT modeChanged();
}

void ViewArea::setComparing(bool on) {
    if (on == comparing()) return;
    if (!on) {
        dropSecond();
        return;
    }
    const SceneEntry* e = m_document->current();
    const ResultEntry* now = m_document->currentResult();
    if (!e || !now) return;
    for (const auto& r : e->results) {
        if (r->id != now->id) m_otherResult = r->id;
    }
    if (m_otherResult == 0) return;
    if (m_mode == Mode::Grid) setMode(Mode::Rgb);
    m_busy = true;
    const ViewCamera camera = m_main->camera();
    m_second = new SceneView;
    m_splitter->addWidget(m_second);
    m_second->setScene(m_scene, e->samples);
    m_second->setDisplay(m_main->display());
    m_second->setOverlays(m_style);
    m_second->setResult(other());
    connectView(m_second);
    connect(m_second, &SceneView::selectionChanged, this, [this](ViewSelection s) {
        const ResultPtr left = m_document->result(), right = other();
        if (m_busy || !left || !right) return;
        m_busy = true;
        m_document->setSelection(Document::counterpart({s.blend, s.object}, *right, *left));
        const Selection chosen = m_document->selection();
        m_main->setSelection({chosen.object, chosen.blend});
        m_busy = false;
    });
    connect(m_second, &SceneView::hoveredChanged, this, [this](ViewSelection h) {
        const ResultPtr left = m_document->result(), right = other();
        if (left && right) m_document->setHovered(Document::counterpart({h.blend, h.object}, *right, *left));
    });
    m_splitter->setSizes({width() / 2, width() / 2});
    m_group->add(m_second);
    m_main->setCamera(camera);
    markCounterpart();
    m_busy = false;
    refreshCaptions();
    showSelection(true);
    Q_EMIT modeChanged();
}

void ViewArea::showSelection(bool zoom) {
    const Selection s = m_document->selection();
    const ResultPtr r = m_document->result();
    const Blend* blend = r ? r->blend(s.blend) : nullptr;
    if (!blend) return;
    showBox(blend->box, zoom);
}

void ViewArea::showBox(const Box& b, bool zoom) {
    if (!m_scene || b.empty()) return;
    SceneView* v = m_mode == Mode::Grid && m_grid && !m_grid->views().empty() ? m_grid->views().front() : m_main;
    const double side = std::max({b.width, b.height, 24});
    const double cx = b.x0 + (b.width - 1) / 2.0, cy = b.y0 + (b.height - 1) / 2.0;
    if (zoom) {
        const double half = 1.1 * side; // the blend takes about half of the view: its neighbourhood stays in sight
        if (2 * half > std::min(m_scene->size.width, m_scene->size.height)) {
            v->fit();
            return;
        }
        v->zoomToBox(QRectF(cx - half, cy - half, 2 * half, 2 * half), SceneView::Framing::InsideScene);
        return;
    }
    const QRectF seen = v->visibleBox();
    if (!seen.contains(QRectF(b.x0, b.y0, b.width, b.height))) v->centreOn({cx, cy});
}

bool ViewArea::settled() const {
    if (m_mode == Mode::Grid && m_grid) {
        for (const SceneView* v : m_grid->views()) {
            if (!v->settled()) return false;
        }
        return true;
    }
    return m_main->settled() && (!m_second || m_second->settled());
}

QColor ViewArea::objectColor(int id) const {
    return m_main->objectColor(id);
}

} // namespace blendscope
