#include "common/domain/key_synonyms.h"

#include <map>

#include "absl/strings/ascii.h"

namespace mozgach {
namespace {

struct KeySynonyms {
  const char* key;
  const char* others;  // in small letters without '_', with a blank between
};

constexpr KeySynonyms kSynonyms[] = {
    {"domain", "name domainname id adaptername runname outputdir outputname"},
    {"description", "desc comment notes"},
    {"base",
     "model basemodel modelname modelid modelpath modelnameorpath basemodelname basemodelid "
     "basemodelnameorpath pretrainedmodel pretrainedmodelname pretrainedmodelnameorpath "
     "checkpoint"},
    {"revision", "modelrevision branch commit baserevision"},
    {"time_limit", "timeout maxtime maxduration timelimitseconds walltime"},
    {"labels", "tags metadata annotations"},
    {"data.train",
     "dataset datasets datasetname datasetpath datapath datafile datafiles trainfile trainfiles "
     "traindata trainpath traindataset trainingdata trainingfile trainingfiles trainset datasetid"},
    {"data.validation",
     "valsetsize valsplit valsize val valid valfile valdata valdataset validationsplit "
     "validationsize validationfile validationdata validationdataset validationset "
     "validationsplitpercentage evalfile evaldata evaldataset evaldatasets evalset evalsplit "
     "evalsetsize dev devset devfile testsplit"},
    {"data.test", "testfile testdata testdataset testset testdatasets"},
    {"data.format", "datasetformat dataformat formatting datasettype"},
    {"data.chat_template",
     "template prompttemplate chattemplatename promptformat conversationtemplate"},
    {"data.max_samples", "maxtrainsamples numsamples maxexamples limit samplelimit"},
    {"data.max_length",
     "maxseqlength maxseqlen cutofflen cutofflength seqlen seqlength sequencelen sequencelength "
     "maxsequencelength maxsequencelen maxlen modelmaxlength blocksize contextlength contextlen "
     "contextsize ctxlen maxtokens maxinputlength maxinputlen nctx truncatelen"},
    {"data.over_length", "truncation truncate truncationmode excesslengthstrategy"},
    {"data.packing", "samplepacking pack packsequences groupbylength packdata"},
    {"data.completion_only_loss",
     "trainoninputs trainonprompt maskprompt masktheprompt assistantonlyloss responseonlyloss "
     "trainonresponsesonly completiononly onlytrainonresponse"},
    {"quantization.load_in_4bit",
     "loadin8bit loadin4bits load4bit load8bit quantizationbit quantizationbits bits nbits qlora "
     "quantize quantized use4bit use8bit 4bit 8bit"},
    {"quantization.bnb_4bit_quant_type",
     "quanttype quantizationtype quantizationmethod bnb4bittype"},
    {"quantization.bnb_4bit_use_double_quant",
     "doublequant doublequantization usedoublequant usenestedquant nestedquant"},
    {"quantization.bnb_4bit_compute_dtype",
     "computedtype dtype torchdtype bf16 fp16 float16 bfloat16 precision mixedprecision "
     "purebf16"},
    {"quantization", "quant bnb bnbconfig quantizationconfig bitsandbytes"},
    {"lora", "peft peftconfig loraconfig adapter adapterconfig loraparameters loraparams"},
    {"lora.r", "rank lorarank lorar adapterrank lorank ranks"},
    {"lora.lora_alpha", "alpha adapteralpha loraalphas scalingalpha"},
    {"lora.lora_dropout", "dropout adapterdropout loradropoutrate lorap"},
    {"lora.target_modules",
     "targets target loratarget loratargets loratargetmodules targetlayers loramodules modules "
     "loratargetlinear targetlinear loralayersnames keys"},
    {"lora.layers_to_transform", "layers numlayers loralayers peftlayerstotransform layerindices"},
    {"lora.use_rslora",
     "rslora uselorars peftuserslora ranksstabilized rankstabilized userankstabilizedlora"},
    {"lora.bias", "lorabias trainbias"},
    {"lora.modules_to_save", "loramodulestosave additionaltarget additionaltargets"},
    {"training",
     "train trainer trainingargs trainingarguments trainargs hyperparameters optimization"},
    {"training.num_train_epochs",
     "epoch epochs numepochs nepochs maxepochs trainepochs trainingepochs numberofepochs "
     "epochcount"},
    {"training.max_steps",
     "steps iters iterations numsteps maxiters maxiterations totalsteps trainsteps trainingsteps "
     "maxtrainsteps numtrainsteps numtrainingsteps"},
    {"training.per_device_train_batch_size",
     "batch batchsize bs microbatchsize minibatchsize trainbatchsize devicebatchsize "
     "perdevicebatchsize pergputrainbatchsize trainmicrobatchsizepergpu microbatch "
     "globalbatchsize totalbatchsize effectivebatchsize"},
    {"training.gradient_accumulation_steps",
     "gradaccum gradaccumsteps gradaccumulation gradaccumulationsteps gradientaccumulation "
     "gradientaccumulations gradientaccumulationstep accumulationsteps accumsteps accumulate "
     "accumulategradbatches gas gradacc gradacsteps"},
    {"training.learning_rate", "lr learningrate lrate maxlr baselr peaklr stepsize"},
    {"training.lr_scheduler_type",
     "scheduler lrscheduler lrschedule lrschedulername schedulertype schedule lrdecaystyle "
     "lrpolicy lrdecay"},
    {"training.warmup_steps", "warmup numwarmupsteps warmupiters lrwarmupsteps warmupstep"},
    {"training.warmup_ratio", "warmupproportion warmupfraction warmuppercent"},
    {"training.weight_decay", "wd decay l2"},
    {"training.adam_beta1", "beta1 adambeta1"},
    {"training.adam_beta2", "beta2 betas adambetas"},
    {"training.adam_epsilon", "eps epsilon adameps"},
    {"training.max_grad_norm",
     "gradclip gradientclip gradclipping gradientclipping gradientclipval gradclipnorm "
     "clipgradnorm gradnorm gradnormclip maxnorm maxgradientnorm clipnorm"},
    {"training.gradient_checkpointing",
     "gradientcheckpoint gradcheckpoint gradcheckpointing activationcheckpointing "
     "usegradientcheckpointing checkpointing recompute"},
    {"training.optim", "optimizer optimiser optimizername optimizertype optimname"},
    {"training.seed", "randomseed randomstate dataseed rngseed"},
    {"training.logging_steps",
     "logsteps logevery loginterval logeverynsteps stepsperreport loggingfrequency loggingstep"},
    {"training.eval_steps",
     "evalevery evalinterval evaluationsteps stepspereval evaleverysteps valcheckinterval evalfreq "
     "evalstep"},
    {"training.save_steps",
     "saveevery saveinterval savestep checkpointsteps checkpointevery checkpointinterval savefreq"},
    {"training.save_total_limit", "savelimit maxcheckpoints keepcheckpoints numcheckpoints"},
    {"rope_scaling", "rope ropescale ropescalingtype ropeparameters"},
    {"evaluation", "eval evaluate metricsconfig"},
    {"evaluation.metrics", "metric evalmetrics computemetrics"},
    {"evaluation.samples", "evalsamples maxevalsamples numevalsamples"},
    {"evaluation.max_new_tokens", "newtokens maxgeneratedtokens generationmaxlength maxgenlength"},
};

std::map<std::string, std::string> ByName() {
  std::map<std::string, std::string> keys;
  for (const KeySynonyms& row : kSynonyms) {
    std::string name;
    for (const char* c = row.others;; ++c) {
      if (*c != ' ' && *c != '\0') {
        name += *c;
        continue;
      }
      keys.emplace(name, row.key);
      name.clear();
      if (*c == '\0') break;
    }
  }
  return keys;
}

}  // namespace

std::string KeyOfOtherTool(std::string_view key) {
  static const std::map<std::string, std::string> kKeys = ByName();
  std::string plain;
  for (const char c : key) {
    if (c != '_' && c != '-' && c != '.' && c != ' ')
      plain += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  const auto found = kKeys.find(plain);
  return found == kKeys.end() ? "" : found->second;
}

}  // namespace mozgach
