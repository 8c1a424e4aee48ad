// Everything here only makes better what works without it: each module is told of the page, and again of what replaced it.
import { cropPhoto } from './crop.js';
import { showMore } from './append.js';
import { takeAnswers } from './consent.js';
import { takeOpinions } from './opinions.js';
import { followLinks } from './pages.js';
import { refineWhileSet } from './refine.js';
import { switchTheme } from './theme-switch.js';
import { takePhotos } from './upload.js';

switchTheme();
followLinks();
showMore();
refineWhileSet();
takePhotos();
cropPhoto();
takeOpinions();
takeAnswers();
